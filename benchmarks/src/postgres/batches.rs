//! Prepared batches: orders of one line, each an event on its own stream and one on a stock stream that many share.

use std::sync::Arc;

use event_store::{
    AnswerToKeep, AppendTransaction, Metadata, NewEvent, Position, StreamId, Version,
};

/// Stock streams that the orders are spread over.
const STOCKS: usize = 1_000;

/// Makes batches that pass when they are appended in the order in which they were made.
pub(crate) struct Orders {
    made: usize,
    stock: Vec<Version>,
}

impl Orders {
    pub(crate) fn new() -> Self {
        Self { made: 0, stock: vec![0; STOCKS] }
    }

    pub(crate) fn batch(&mut self, size: u64) -> Vec<AppendTransaction> {
        (0..size).map(|_| self.order()).collect()
    }

    fn order(&mut self) -> AppendTransaction {
        self.made += 1;
        let number = self.made;
        let place = number * 61 % STOCKS;
        let id: Arc<str> = format!("shop/0193a5f0-0000-7000-8000-{number:012}").into();
        let order: StreamId = format!("order-0193a5f0-0000-7000-8000-{number:012}").into();
        let stock: StreamId = format!("stock-{place}").into();
        let seen = &mut self.stock[place];
        let reads = vec![(Arc::clone(&order), 0), (Arc::clone(&stock), *seen)];
        *seen += 1;
        let event = |stream: &StreamId, event_type: &str| NewEvent {
            stream: Arc::clone(stream),
            event_type: event_type.into(),
            schema_version: 1,
            payload: format!(
                r#"{{"order_id":"{number}","currency":"GBP","lines":[{{"line":1,"sku":"{place}","quantity":6,"unit_price":{{"amount":255,"currency":"GBP"}}}}],"payment_method":"card","shipping_address":{{"country":"United Kingdom"}}}}"#
            ),
        };
        let events = vec![event(&order, "OrderPlaced"), event(&stock, "StockReserved")];
        AppendTransaction {
            command_id: Arc::clone(&id),
            request_hash: [7; 32],
            reads,
            events,
            metadata: Arc::new(Metadata {
                command_id: Arc::clone(&id),
                actor: "shop".into(),
                correlation_id: id,
                causation_id: None,
                traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
                occurred_at: chrono::DateTime::UNIX_EPOCH,
            }),
            answer: Some(AnswerToKeep {
                status: 201,
                body: format!(r#"{{"id":"{number}","status":"placed"}}"#),
                target: order,
            }),
            intents: vec![],
        }
    }
}

/// The rows that a batch leaves behind, a column each, when it begins after `head`.
#[derive(Default, serde::Serialize)]
pub(crate) struct Rows {
    pub(crate) positions: Vec<i64>,
    pub(crate) streams: Vec<String>,
    pub(crate) versions: Vec<i64>,
    pub(crate) ids: Vec<uuid::Uuid>,
    pub(crate) types: Vec<String>,
    pub(crate) payloads: Vec<String>,
    pub(crate) metadata: Vec<String>,
    pub(crate) commands: Vec<String>,
    pub(crate) bodies: Vec<String>,
    pub(crate) answered: Vec<i64>,
}

impl Rows {
    pub(crate) fn of(batch: &[AppendTransaction], head: Position) -> anyhow::Result<Self> {
        let mut rows = Self::default();
        let mut position = i64::try_from(head)?;
        for transaction in batch {
            let metadata = serde_json::to_string(&transaction.metadata)?;
            for (event, (_, seen)) in transaction.events.iter().zip(&transaction.reads) {
                position += 1;
                rows.positions.push(position);
                rows.streams.push(event.stream.to_string());
                rows.versions.push(i64::try_from(*seen)? + 1);
                rows.ids.push(uuid::Uuid::from_u128(position.unsigned_abs().into()));
                rows.types.push(event.event_type.to_string());
                rows.payloads.push(event.payload.clone());
                rows.metadata.push(metadata.clone());
            }
            let body = transaction.answer.as_ref().map(|answer| answer.body.clone());
            rows.commands.push(transaction.command_id.to_string());
            rows.bodies.push(body.unwrap_or_default());
            rows.answered.push(position);
        }
        Ok(rows)
    }
}

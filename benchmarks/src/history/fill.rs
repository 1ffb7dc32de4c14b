//! Tells the templates again under other names.

use std::sync::Arc;

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use event_store::{
    AnswerToKeep, AppendTransaction, EventLog, Metadata, NewEvent, RecordedEvent, Verdict,
};

use super::templates::{CUSTOMER, SKU, Templates, Written};

/// Orders that are appended at once.
const AT_ONCE: u64 = 150;
/// A fifth of all orders have it.
pub(crate) const POPULAR_SKU: u64 = 0;
/// One in a hundred orders is theirs.
pub(crate) const BUSY_CUSTOMER: u64 = 0;

/// How much there is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) orders: u64,
    pub(crate) skus: u64,
    pub(crate) customers: u64,
}

/// The SKU of that number.
pub(crate) fn sku(number: u64) -> String {
    format!("sku-{number:06}")
}

/// The customer of that number.
pub(crate) fn customer(number: u64) -> String {
    format!("customer-{number:06}")
}

/// What stands where in a template, and what is to stand there.
struct Names {
    order: (String, String),
    sku: String,
    customer: String,
}

impl Names {
    fn within(&self, text: &str) -> String {
        let text = text.replace(&self.order.0, &self.order.1);
        text.replace(SKU, &self.sku).replace(CUSTOMER, &self.customer)
    }
}

/// Fills an empty log; how many events it has then.
pub(crate) async fn fill(log: &dyn EventLog, templates: &Templates, size: Size) -> Result<u64> {
    // An order a second, the last of them now.
    let begun = (service_kit::clock::system())() - seconds(size.orders);
    let mut batch = Vec::new();
    let nobody = || ("no order".to_owned(), String::new());
    for number in 0..size.skus.max(size.customers) {
        let names = Names { order: nobody(), sku: sku(number), customer: customer(number) };
        if number < size.skus {
            batch.extend(told(&templates.product, &names, number, begun));
        }
        if number < size.customers {
            batch.extend(told(&templates.customer, &names, number, begun));
        }
        if number % AT_ONCE == 0 {
            append(log, std::mem::take(&mut batch)).await?;
        }
    }
    append(log, std::mem::take(&mut batch)).await?;
    for number in 0..size.orders {
        let (id, _, written) = fate(templates, number);
        let names = Names {
            order: (id.clone(), format!("order-{number:09}")),
            sku: sku(of(number, 5, POPULAR_SKU, size.skus)),
            customer: customer(of(number, 100, BUSY_CUSTOMER, size.customers)),
        };
        batch.extend(told(written, &names, number, begun));
        if number % AT_ONCE == 0 {
            append(log, std::mem::take(&mut batch)).await?;
        }
    }
    append(log, batch).await?;
    Ok(*log.head().borrow())
}

/// One in `every` is the `favourite`, the others are spread.
fn of(number: u64, every: u64, favourite: u64, all: u64) -> u64 {
    if number.is_multiple_of(every) { favourite } else { number.wrapping_mul(7_919) % all }
}

type Order = (String, u32, Vec<Written>);

fn fate(templates: &Templates, number: u64) -> &Order {
    let mut rest = number.wrapping_mul(617) % 1_000;
    let mut orders = templates.orders.iter();
    let found = orders.find(|(_, of_thousand, _)| {
        let is_it = rest < u64::from(*of_thousand);
        rest = rest.saturating_sub(u64::from(*of_thousand));
        is_it
    });
    found.unwrap_or(&templates.orders[0])
}

fn told(
    written: &[Written],
    names: &Names,
    number: u64,
    begun: DateTime<Utc>,
) -> Vec<AppendTransaction> {
    let Some(first) = written.first().and_then(|events| events.first()) else { return Vec::new() };
    let shift = begun + seconds(number) - first.metadata.occurred_at;
    written.iter().map(|events| transaction(events, names, number, shift)).collect()
}

fn seconds(number: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(number).unwrap_or_default())
}

fn transaction(
    events: &[RecordedEvent],
    names: &Names,
    number: u64,
    shift: TimeDelta,
) -> AppendTransaction {
    let was = &events[0].metadata;
    // A client's own key has no name in it.
    let retold = |text: &str| -> Arc<str> {
        let told = names.within(text);
        if told == text { format!("{text}/{number}").into() } else { told.into() }
    };
    let metadata = Arc::new(Metadata {
        command_id: retold(&was.command_id),
        actor: Arc::clone(&was.actor),
        correlation_id: retold(&was.correlation_id),
        causation_id: was.causation_id.clone(),
        traceparent: None,
        occurred_at: was.occurred_at + shift,
    });
    let events: Vec<NewEvent> = events
        .iter()
        .map(|event| NewEvent {
            stream: names.within(&event.stream).into(),
            event_type: Arc::clone(&event.event_type),
            schema_version: event.schema_version,
            payload: names.within(&event.payload),
        })
        .collect();
    let answer = AnswerToKeep {
        status: 200,
        body: format!(r#"{{"order_id":"{}","status":"placed"}}"#, names.order.1),
        target: Arc::clone(&events[0].stream),
    };
    AppendTransaction {
        command_id: Arc::clone(&metadata.command_id),
        request_hash: [7; 32],
        reads: Vec::new(),
        events,
        metadata,
        answer: Some(answer),
        intents: Vec::new(),
    }
}

async fn append(log: &dyn EventLog, batch: Vec<AppendTransaction>) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let verdicts = log.append(batch).await?;
    let failed = verdicts.iter().find(|verdict| !matches!(verdict, Verdict::Committed { .. }));
    ensure!(failed.is_none(), "the history did not pass: {failed:?}");
    Ok(())
}

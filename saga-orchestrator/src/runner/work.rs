//! What one commit will write, gathered in memory.

use std::collections::HashMap;
use std::sync::Arc;

use domain::ids::OrderId;
use domain::sagas::Outgoing;
use event_store::{Position, RecordedEvent};
use messaging::commands::CommandMessage;
use service_kit::trace;
use tracing::Span;

use super::order_sagas::OrderSagas;
use crate::storage::{OutboxRow, PastAction, SagaRow};

/// What made a saga ask for a command.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cause<'e> {
    /// An event.
    Event(&'e RecordedEvent),
    /// Its time had come, or an operator acted.
    Other,
}

/// A commit in the making.
#[derive(Default)]
pub(super) struct Work {
    /// The orders that it is about, with all their sagas.
    pub(super) orders: HashMap<OrderId, OrderSagas>,
    /// Commands to be kept and sent.
    pub(super) outbox: Vec<OutboxRow>,
    /// Commands whose effect was seen.
    pub(super) done: Vec<Arc<str>>,
    /// The last event folded.
    pub(super) last: Option<RecordedEvent>,
    /// Whether what asks for commands is traced.
    pub(super) traced: bool,
    /// The spans of what asks for commands; they end when those are sent.
    pub(super) spans: Vec<Span>,
    /// What an operator did, with key and saga.
    pub(super) action: Option<(String, String, PastAction)>,
}

impl Work {
    /// Keeps what the sagas of an order want sent.
    pub(super) fn want(
        &mut self,
        order_id: &OrderId,
        wanted: Vec<(usize, Outgoing)>,
        cause: Cause<'_>,
    ) -> serde_json::Result<()> {
        let Some(sagas) = self.orders.get(order_id) else { return Ok(()) };
        for (place, outgoing) in wanted {
            let row = sagas.row(place);
            let traceparent = match cause {
                Cause::Event(event) if self.traced => {
                    let span = span_of(&outgoing, event);
                    let own = trace::traceparent(&span);
                    self.spans.push(span);
                    own.or_else(|| event.metadata.traceparent.clone())
                }
                Cause::Event(event) => event.metadata.traceparent.clone(),
                Cause::Other => None,
            };
            self.outbox.push(outbox_row(&outgoing, row, cause, traceparent)?);
        }
        Ok(())
    }

    /// Drops commands whose effect comes later in the same page: there is nothing to be sent.
    pub(super) fn forget_answered(&mut self, asked_at: &[Position], page: &[RecordedEvent]) {
        let mut answered: HashMap<&str, Position> = HashMap::with_capacity(page.len());
        for event in page {
            answered.insert(&event.metadata.command_id, event.position);
        }
        let mut asked_at = asked_at.iter();
        self.outbox.retain(|row| {
            let asked = asked_at.next().copied().unwrap_or_default();
            let answer = answered.get(row.message.command_id.as_ref());
            answer.is_none_or(|answer| *answer <= asked)
        });
    }
}

/// From an event that was read to the command that it leads to: folded, committed and sent.
fn span_of(outgoing: &Outgoing, event: &RecordedEvent) -> Span {
    let span = tracing::info_span!(
        "react",
        otel.name = %format_args!("{} -> {}", event.event_type, outgoing.step),
        otel.kind = "producer",
        saga.id = %outgoing.saga_id,
        step = outgoing.step.as_str(),
        position = event.position,
    );
    trace::follow(&span, event.metadata.traceparent.as_deref());
    span
}

fn outbox_row(
    outgoing: &Outgoing,
    saga: &SagaRow,
    cause: Cause<'_>,
    traceparent: Option<Arc<str>>,
) -> serde_json::Result<OutboxRow> {
    let causation_id = match cause {
        Cause::Event(event) => Some(event.id.to_string().into()),
        Cause::Other => None,
    };
    let message = CommandMessage {
        command_id: outgoing.command_id().into(),
        body: serde_json::to_string(&outgoing.command)?,
        correlation_id: Arc::clone(&saga.correlation_id),
        causation_id,
        traceparent,
        occurred_at: outgoing.occurred_at,
        begun: saga.version > 0,
    };
    Ok(OutboxRow {
        saga_id: outgoing.saga_id.to_string(),
        step: outgoing.step.clone(),
        attempt: outgoing.attempt,
        body: serde_json::to_string(&message)?,
        message,
    })
}

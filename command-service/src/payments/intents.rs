//! Which side effects a command begins and ends, read off its events. Pure.

use std::sync::Arc;

use domain::command::Command;
use domain::event::Event;
use domain::ids::{OrderId, PaymentId};
use domain::money::Money;
use domain::payments::{Operation, PaymentEvent, ProviderOutcome};
use domain::text::PaymentMethod;
use event_store::{IntentChange, Metadata};

use super::provider::ProviderCall;

/// What the outcome's command id has after that of the command that left the intent.
pub(crate) const OUTCOME: &str = "/outcome";
/// What the command id of a missing answer has after it.
pub(crate) const UNKNOWN: &str = "/unknown";

/// The changes to the open intents that go into a command's append.
pub(crate) fn changes(
    command: &Command,
    events: &[Event],
    metadata: &Metadata,
) -> Vec<IntentChange> {
    let mut changes = Vec::new();
    if let Command::RecordPaymentOutcome(record) = command
        && record.outcome != ProviderOutcome::Unknown
        && let Some(id) = metadata.command_id.strip_suffix(OUTCOME)
    {
        changes.push(IntentChange::Close { id: id.into() });
    }
    let begun = events.iter().filter_map(|event| match event {
        Event::Payment(event) => call(event, metadata),
        _ => None,
    });
    for call in begun {
        match serde_json::to_string(&call) {
            Ok(payload) => {
                let id = Arc::clone(&metadata.command_id);
                changes.push(IntentChange::Open { id, payload });
            }
            Err(error) => tracing::error!(%error, key = call.key, "an intent can't be encoded"),
        }
    }
    changes
}

struct Asked<'e> {
    payment_id: &'e PaymentId,
    order_id: &'e OrderId,
    operation: Operation,
    attempt: u32,
    amount: Money,
    method: Option<&'e PaymentMethod>,
}

/// The call that an event announces; none for an event that tells of an outcome.
fn call(event: &PaymentEvent, metadata: &Metadata) -> Option<ProviderCall> {
    let asked = asked(event)?;
    Some(ProviderCall {
        key: format!("{}/{}/{}", asked.payment_id, asked.operation.name(), asked.attempt),
        payment_id: asked.payment_id.clone(),
        order_id: asked.order_id.clone(),
        operation: asked.operation,
        attempt: asked.attempt,
        amount: asked.amount,
        method: asked.method.cloned(),
        correlation_id: metadata.correlation_id.to_string(),
        occurred_at: metadata.occurred_at,
    })
}

fn asked(event: &PaymentEvent) -> Option<Asked<'_>> {
    match event {
        PaymentEvent::PaymentRequested(event) => Some(Asked {
            payment_id: &event.payment_id,
            order_id: &event.order_id,
            operation: Operation::Authorize,
            attempt: event.attempt,
            amount: event.amount,
            method: Some(&event.method),
        }),
        PaymentEvent::CaptureRequested(event) => Some(Asked {
            payment_id: &event.payment_id,
            order_id: &event.order_id,
            operation: Operation::Capture,
            attempt: event.attempt,
            amount: event.amount,
            method: None,
        }),
        PaymentEvent::VoidRequested(event) => Some(Asked {
            payment_id: &event.payment_id,
            order_id: &event.order_id,
            operation: Operation::Void,
            attempt: event.attempt,
            amount: event.amount,
            method: None,
        }),
        PaymentEvent::RefundRequested(event) => Some(Asked {
            payment_id: &event.payment_id,
            order_id: &event.order_id,
            operation: Operation::Refund,
            attempt: event.attempt,
            amount: event.amount,
            method: None,
        }),
        PaymentEvent::PaymentAuthorized(_)
        | PaymentEvent::PaymentDeclined(_)
        | PaymentEvent::PaymentOutcomeUnknown(_)
        | PaymentEvent::PaymentCaptured(_)
        | PaymentEvent::CaptureFailed(_)
        | PaymentEvent::AuthorizationVoided(_)
        | PaymentEvent::VoidRefused(_)
        | PaymentEvent::PaymentRefunded(_)
        | PaymentEvent::RefundFailed(_)
        | PaymentEvent::AuthorizationExpired(_) => None,
    }
}

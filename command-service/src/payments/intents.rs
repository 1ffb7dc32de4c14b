//! Which calls to the provider a command begins and ends, read off its events. Pure.

use domain::command::Command;
use domain::event::Event;
use domain::ids::{OrderId, PaymentId};
use domain::money::Money;
use domain::payments::{Operation, PaymentEvent};
use domain::text::{PaymentMethod, ProviderReference};
use event_store::Metadata;

use super::provider::ProviderCall;

/// What the outcome's command id has after that of the command that left the intent.
pub(super) const OUTCOME: &str = "/outcome";
/// What the command id of a missing answer has after it.
pub(super) const UNKNOWN: &str = "/unknown";

/// What the command id of an answer to another question has after it, before the amount.
pub(super) const DIFFERS: &str = "/differs/";

/// The intent that this command ends, if it records an outcome that is known.
pub(crate) fn ended<'c>(command: &Command, command_id: &'c str) -> Option<&'c str> {
    match command {
        Command::RecordPaymentOutcome(record) if record.outcome.is_final() => {
            command_id.strip_suffix(OUTCOME)
        }
        _ => None,
    }
}

struct Asked<'e> {
    payment_id: &'e PaymentId,
    order_id: &'e OrderId,
    operation: Operation,
    attempt: u32,
    amount: Money,
    method: Option<&'e PaymentMethod>,
    reference: Option<&'e ProviderReference>,
}

/// The call that an event announces; none for an event that tells of an outcome.
pub(crate) fn call(event: &Event, metadata: &Metadata) -> Option<ProviderCall> {
    let Event::Payment(event) = event else { return None };
    let asked = asked(event)?;
    Some(ProviderCall {
        key: format!("{}/{}/{}", asked.payment_id, asked.operation.name(), asked.attempt),
        payment_id: asked.payment_id.clone(),
        order_id: asked.order_id.clone(),
        operation: asked.operation,
        attempt: asked.attempt,
        amount: asked.amount,
        method: asked.method.cloned(),
        reference: asked.reference.cloned(),
        opened_at: None,
        correlation_id: metadata.correlation_id.to_string(),
        occurred_at: metadata.occurred_at,
        traceparent: metadata.traceparent.clone(),
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
            reference: None,
        }),
        PaymentEvent::CaptureRequested(event) => Some(Asked {
            payment_id: &event.payment_id,
            order_id: &event.order_id,
            operation: Operation::Capture,
            attempt: event.attempt,
            amount: event.amount,
            method: None,
            reference: event.reference.as_ref(),
        }),
        PaymentEvent::VoidRequested(event) => Some(Asked {
            payment_id: &event.payment_id,
            order_id: &event.order_id,
            operation: Operation::Void,
            attempt: event.attempt,
            amount: event.amount,
            method: None,
            reference: event.reference.as_ref(),
        }),
        PaymentEvent::RefundRequested(event) => Some(Asked {
            payment_id: &event.payment_id,
            order_id: &event.order_id,
            operation: Operation::Refund,
            attempt: event.attempt,
            amount: event.amount,
            method: None,
            reference: event.reference.as_ref(),
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
        | PaymentEvent::AuthorizationExpired(_)
        | PaymentEvent::PaymentSettledByHand(_) => None,
    }
}

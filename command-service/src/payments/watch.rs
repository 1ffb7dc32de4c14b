//! Authorizations that were voided before anybody asked for them: one may still land at the provider, as long as it
//! honours the key. Each stands among the open intents until then, and whatever appears is voided.

use domain::command::Command;
use domain::event::Event;
use domain::payments::{Operation, PaymentEvent, ProviderOutcome, VoidLateAuthorization};
use event_store::Metadata;
use serde::{Deserialize, Serialize};

use super::provider::ProviderCall;

/// What the id of the append that ends a watch has after that of the void.
pub(super) const UNWATCHED: &str = "/unwatched";
/// What the id of a command that takes in what appeared has after that of the void, before a number of its own.
pub(super) const LATE: &str = "/late/";

/// A payment whose authorization may still land at the provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Watch {
    /// The authorization that is looked for.
    pub(super) call: ProviderCall,
    /// The void that nothing was there for; asked again at the end, it finds everything so.
    pub(super) void: Command,
}

/// The watch that a void begins which left a tombstone. Without an amount nothing can have been asked for.
pub(crate) fn begun(event: &Event, command: &Command, metadata: &Metadata) -> Option<Watch> {
    let Event::Payment(PaymentEvent::AuthorizationVoided(event)) = event else { return None };
    let Command::VoidAuthorization(void) = command else { return None };
    let amount = void.amount.filter(|amount| !amount.is_zero())?;
    if !event.amount.is_zero() {
        return None;
    }
    let (operation, attempt) = (Operation::Authorize, 1);
    let call = ProviderCall {
        key: format!("{}/{}/{attempt}", event.payment_id, operation.name()),
        payment_id: event.payment_id.clone(),
        order_id: event.order_id.clone(),
        operation,
        attempt,
        amount,
        method: None,
        reference: None,
        opened_at: None,
        correlation_id: metadata.correlation_id.to_string(),
        occurred_at: metadata.occurred_at,
        traceparent: metadata.traceparent.clone(),
    };
    Some(Watch { call, void: command.clone() })
}

/// The watch that this command ends: the provider's time is over, or what appeared is given back.
pub(crate) fn ended<'c>(
    command: &Command,
    events: &[Event],
    command_id: &'c str,
) -> Option<&'c str> {
    match command {
        Command::VoidAuthorization(_) => command_id.strip_suffix(UNWATCHED),
        Command::VoidLateAuthorization(_) if events.is_empty() => {
            command_id.rsplit_once(LATE).map(|(id, _)| id)
        }
        _ => None,
    }
}

impl Watch {
    /// What follows from what the provider says; none while nothing has appeared.
    pub(super) fn found(&self, outcome: &ProviderOutcome) -> Option<VoidLateAuthorization> {
        match outcome {
            ProviderOutcome::Authorized { expires_at, multi_capture, reference } => {
                Some(VoidLateAuthorization {
                    payment_id: self.call.payment_id.clone(),
                    order_id: self.call.order_id.clone(),
                    amount: self.call.amount,
                    expires_at: *expires_at,
                    multi_capture: *multi_capture,
                    reference: reference.clone(),
                })
            }
            ProviderOutcome::Done
            | ProviderOutcome::Refused { .. }
            | ProviderOutcome::NeverDone
            | ProviderOutcome::Unknown
            | ProviderOutcome::Differs { .. } => None,
        }
    }
}

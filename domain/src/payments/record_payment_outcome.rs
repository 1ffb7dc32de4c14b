//! What the provider said, or that it said nothing.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AuthorizationVoided, CaptureFailed, OpenOperation, Operation, PaymentAuthorized,
    PaymentCaptured, PaymentDeclined, PaymentOutcomeUnknown, PaymentRefunded, ProviderOutcome,
    RefundFailed, VoidRefused,
};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::money::Money;
use crate::stream::Stream;
use crate::text::{ProviderReference, Reason};

/// What the provider said, or that it said nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPaymentOutcome {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What was asked.
    pub operation: Operation,
    /// The attempt that this is the outcome of.
    pub attempt: u32,
    /// What it came to.
    pub outcome: ProviderOutcome,
}

impl Decide for RecordPaymentOutcome {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    /// Only the operation and attempt that is open can be answered; an answer that was heard already changes nothing.
    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let payment = view.payment(&self.payment_id)?;
        let Some(open) = payment.open_operation() else { return Ok(vec![]) };
        if open.operation != self.operation || open.attempt != self.attempt {
            return Ok(vec![]);
        }
        let outcome = match (&self.outcome, self.operation) {
            (ProviderOutcome::Unknown, _) if open.unknown => return Ok(vec![]),
            (ProviderOutcome::Unknown, _) => return Ok(vec![self.unknown(None)]),
            (ProviderOutcome::Differs { found }, _) if open.found == Some(*found) => {
                return Ok(vec![]);
            }
            (ProviderOutcome::Differs { found }, _) => return Ok(vec![self.unknown(Some(*found))]),
            (ProviderOutcome::NeverDone, _) => Answer::Failed(Reason::code("payment_failed"), true),
            (ProviderOutcome::Refused { code, retriable }, _) => {
                Answer::Failed(code.clone(), *retriable)
            }
            (ProviderOutcome::Authorized { expires_at, multi_capture, reference }, _) => {
                Answer::Done(Some((*expires_at, *multi_capture, reference.clone())))
            }
            (ProviderOutcome::Done, _) => Answer::Done(None),
        };
        Ok(self.event(open, outcome).into_iter().collect())
    }
}

/// What the provider said, for good.
enum Answer {
    /// It did it; an authorization says until when, whether it can be captured more than once, and its name.
    Done(Option<(DateTime<Utc>, bool, Option<ProviderReference>)>),
    /// It did not, with a code, and whether a further attempt may succeed.
    Failed(Reason, bool),
}

impl RecordPaymentOutcome {
    fn ids(&self) -> (PaymentId, OrderId) {
        (self.payment_id.clone(), self.order_id.clone())
    }

    fn unknown(&self, found: Option<Money>) -> Event {
        let (payment_id, order_id) = self.ids();
        let (operation, attempt) = (self.operation, self.attempt);
        PaymentOutcomeUnknown { payment_id, order_id, operation, attempt, found }.into()
    }

    /// The event of an answer; none when the answer is not one to this question.
    fn event(&self, open: &OpenOperation, answer: Answer) -> Option<Event> {
        let (payment_id, order_id) = self.ids();
        let amount = open.amount;
        Some(match (open.operation, answer) {
            (Operation::Authorize, Answer::Done(promise)) => {
                let (expires_at, multi_capture, reference) = promise?;
                PaymentAuthorized {
                    payment_id,
                    order_id,
                    amount,
                    expires_at,
                    multi_capture,
                    reference,
                }
                .into()
            }
            (Operation::Authorize, Answer::Failed(code, _)) => {
                PaymentDeclined { payment_id, order_id, code }.into()
            }
            (Operation::Capture, answer) => {
                let shipment_id = open.shipment_id.clone()?;
                match answer {
                    Answer::Done(_) => {
                        PaymentCaptured { payment_id, order_id, shipment_id, amount }.into()
                    }
                    Answer::Failed(code, retriable) => {
                        CaptureFailed { payment_id, order_id, shipment_id, code, retriable }.into()
                    }
                }
            }
            (Operation::Void, Answer::Done(_)) => {
                let cancellation_id = open.cancellation_id.clone();
                AuthorizationVoided { payment_id, order_id, amount, cancellation_id }.into()
            }
            (Operation::Void, Answer::Failed(code, retriable)) => {
                VoidRefused { payment_id, order_id, code, retriable }.into()
            }
            (Operation::Refund, answer) => {
                let return_id = open.return_id.clone()?;
                match answer {
                    Answer::Done(_) => {
                        PaymentRefunded { payment_id, order_id, return_id, amount }.into()
                    }
                    Answer::Failed(code, retriable) => {
                        RefundFailed { payment_id, order_id, return_id, code, retriable }.into()
                    }
                }
            }
        })
    }
}

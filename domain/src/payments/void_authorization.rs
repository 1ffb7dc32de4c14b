//! The provider is to give back what it holds. Leaves the intent, or a tombstone when nothing was asked of it yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuthorizationVoided, Operation, VoidRequested};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId, PaymentId};
use crate::money::{Currency, Money};
use crate::refusal::Refusal;
use crate::stream::Stream;

/// The provider is to give back what it holds. Leaves the intent, or a tombstone when nothing was asked of it yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidAuthorization {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// How much; `None`: all that is neither captured nor voided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// The cancellation that it is for; for each only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_id: Option<CancellationId>,
}

impl Decide for VoidAuthorization {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    /// Never more than is still held: what was captured or has expired needs no void.
    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let payment = view.payment(&self.payment_id)?;
        if payment.order_id().is_none() {
            let currency = self.amount.map_or(Currency::NONE, Money::currency);
            return Ok(vec![
                AuthorizationVoided {
                    payment_id: self.payment_id.clone(),
                    order_id: self.order_id.clone(),
                    amount: Money::zero(currency),
                    cancellation_id: None,
                }
                .into(),
            ]);
        }
        if payment.order_id() != Some(&self.order_id) {
            return Err(Refusal::PaymentExists { payment_id: self.payment_id.clone() }.into());
        }
        if payment.has_open_operation() {
            return Err(Halt::Busy);
        }
        if self.cancellation_id.as_ref().is_some_and(|id| payment.is_voided_for(id)) {
            return Ok(vec![]);
        }
        let Some(currency) = payment.requested().map(Money::currency) else { return Ok(vec![]) };
        let held = Money::new(payment.uncaptured(), currency);
        let amount = match self.amount {
            Some(amount) if amount.currency() != currency => {
                let found = amount.currency();
                return Err(Refusal::MixedCurrencies { expected: currency, found }.into());
            }
            Some(amount) if amount.minor() < held.minor() => amount,
            Some(_) | None => held,
        };
        if amount.minor() <= 0 {
            return Ok(vec![]);
        }
        Ok(vec![
            VoidRequested {
                payment_id: self.payment_id.clone(),
                order_id: self.order_id.clone(),
                amount,
                attempt: payment.next_attempt(Operation::Void),
                cancellation_id: self.cancellation_id.clone(),
                reference: payment.reference().cloned(),
            }
            .into(),
        ])
    }
}

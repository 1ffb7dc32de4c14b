//! The provider holds money after all, of a payment that was given up: it is to give all of it back.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Operation, PaymentAuthorized, VoidRequested};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::ProviderReference;

/// The provider holds money after all, of a payment that was given up: it is to give all of it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidLateAuthorization {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What the provider holds.
    pub amount: Money,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Whether it can capture more than once.
    pub multi_capture: bool,
    /// What the provider calls it, if it has a name of its own for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ProviderReference>,
}

impl Decide for VoidLateAuthorization {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    /// The log takes in what the provider did, and asks for it back in the same append.
    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let payment = view.payment(&self.payment_id)?;
        if payment.order_id() != Some(&self.order_id) || !payment.is_tombstone() {
            return Err(Refusal::PaymentNotFound { payment_id: self.payment_id.clone() }.into());
        }
        if payment.has_open_operation() {
            return Err(Halt::Busy);
        }
        let Self { payment_id, order_id, amount, expires_at, multi_capture, reference } =
            self.clone();
        let (mut events, held) = if payment.authorized() == 0 {
            let landed = PaymentAuthorized {
                payment_id: payment_id.clone(),
                order_id: order_id.clone(),
                amount,
                expires_at,
                multi_capture,
                reference: reference.clone(),
            };
            (vec![landed.into()], amount)
        } else {
            (vec![], Money::new(payment.uncaptured(), amount.currency()))
        };
        if !held.is_zero() {
            let attempt = payment.next_attempt(Operation::Void);
            events.push(
                VoidRequested {
                    payment_id,
                    order_id,
                    amount: held,
                    attempt,
                    cancellation_id: None,
                    reference: payment.reference().cloned().or(reference),
                }
                .into(),
            );
        }
        Ok(events)
    }
}

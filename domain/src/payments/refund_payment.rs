//! The provider is to give back the amount of a return. Leaves the intent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Operation, RefundRequested};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId, ReturnId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::stream::Stream;

/// The provider is to give back the amount of a return. Leaves the intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundPayment {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it paid.
    pub order_id: OrderId,
    /// The return that is paid back.
    pub return_id: ReturnId,
    /// What is to be given back.
    pub amount: Money,
}

impl Decide for RefundPayment {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    /// Waits while a capture or another refund is open, so that it is judged by what was really taken.
    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let payment = view.payment(&self.payment_id)?;
        payment.check_order(&self.payment_id, &self.order_id, self.amount)?;
        if payment.is_refunded_for(&self.return_id) || self.amount.is_zero() {
            return Ok(vec![]);
        }
        if payment.has_open_operation() {
            return Err(Halt::Busy);
        }
        let (requested, allowed) = (self.amount.minor(), payment.captured() - payment.refunded());
        if requested > allowed {
            let payment_id = self.payment_id.clone();
            return Err(Refusal::AmountExceeded { payment_id, requested, allowed }.into());
        }
        Ok(vec![
            RefundRequested {
                payment_id: self.payment_id.clone(),
                order_id: self.order_id.clone(),
                return_id: self.return_id.clone(),
                amount: self.amount,
                attempt: payment.next_attempt(Operation::Refund),
                reference: payment.reference().cloned(),
            }
            .into(),
        ])
    }
}

//! The provider is to take the amount of a shipment. Leaves the intent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaptureRequested, Operation};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId, ShipmentId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::stream::Stream;

/// The provider is to take the amount of a shipment. Leaves the intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapturePayment {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// The shipment that is paid.
    pub shipment_id: ShipmentId,
    /// What is to be taken.
    pub amount: Money,
}

impl Decide for CapturePayment {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    /// A failed attempt may be made again, with the next number; the provider is asked one thing at a time.
    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let payment = view.payment(&self.payment_id)?;
        payment.check_order(&self.payment_id, &self.order_id, self.amount)?;
        if payment.is_paid_for(&self.shipment_id) || self.amount.is_zero() {
            return Ok(vec![]);
        }
        if payment.has_open_operation() {
            return Err(Halt::Busy);
        }
        let authorized = if payment.is_spent() { 0 } else { payment.uncaptured() };
        if self.amount.minor() > authorized {
            let needed = self.amount.minor();
            return Err(Refusal::NotCovered { authorized, needed }.into());
        }
        Ok(vec![
            CaptureRequested {
                payment_id: self.payment_id.clone(),
                order_id: self.order_id.clone(),
                shipment_id: self.shipment_id.clone(),
                amount: self.amount,
                attempt: payment.next_attempt(Operation::Capture),
                reference: payment.reference().cloned(),
            }
            .into(),
        ])
    }
}

//! The provider is to take the amount of a shipment. Leaves the intent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId, ShipmentId};
use crate::money::Money;
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

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}

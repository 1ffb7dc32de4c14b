//! The provider is to give back the amount of a return. Leaves the intent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId, ReturnId};
use crate::money::Money;
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

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}

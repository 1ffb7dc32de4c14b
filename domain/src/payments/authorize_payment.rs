//! The provider is to hold the amount. Leaves the intent; the outcome follows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::money::Money;
use crate::stream::Stream;
use crate::text::PaymentMethod;

/// The provider is to hold the amount. Leaves the intent; the outcome follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizePayment {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What is to be held.
    pub amount: Money,
    /// How it is paid.
    pub method: PaymentMethod,
}

impl Decide for AuthorizePayment {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}

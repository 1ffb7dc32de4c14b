//! A further payment covers what is still to be captured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::stream::Stream;

/// A further payment covers what is still to be captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplacePayment {
    /// The order.
    pub order_id: OrderId,
    /// The further payment.
    pub payment_id: PaymentId,
}

impl Decide for ReplacePayment {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}

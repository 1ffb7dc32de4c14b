//! The provider is to give back what it holds. Leaves the intent, or a tombstone when nothing was asked of it yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::money::Money;
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
}

impl Decide for VoidAuthorization {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}

//! A cart is to be begun.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ShippingAddress, WantedLine};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CustomerId, OrderId};
use crate::money::Currency;
use crate::stream::Stream;
use crate::text::{Label, PaymentMethod};

/// A cart is to be begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDraft {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is; a guest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The one currency of the order.
    pub currency: Currency,
    /// Its first lines; may be none.
    pub lines: Vec<WantedLine>,
    /// How it will be paid.
    pub payment_method: PaymentMethod,
    /// Where it goes.
    pub shipping_address: ShippingAddress,
    /// The client's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Label>,
}

impl Decide for CreateDraft {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}

//! What a client says of a new order, whether it is placed at once or begun as a cart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Order, ShippingAddress, WantedLine, pricing};
use crate::decide::{Halt, View};
use crate::ids::{CustomerId, OrderId};
use crate::money::Currency;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::{Label, PaymentMethod};

/// What a client says of a new order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct NewOrder {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is; a guest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The one currency of the order.
    pub currency: Currency,
    /// Its lines; they are numbered 1..n. A cart may begin without.
    pub lines: Vec<WantedLine>,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// Where it goes.
    pub shipping_address: ShippingAddress,
    /// The client's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Label>,
}

impl NewOrder {
    pub(super) fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    pub(super) fn reads(&self) -> Vec<Stream> {
        let needed = pricing::reads(self.customer_id.as_ref(), &self.lines);
        std::iter::once(self.target()).chain(needed).collect()
    }

    /// Refuses an id that is taken, and a customer who may not order.
    pub(super) fn check(&self, view: &View<'_>) -> Result<(), Halt> {
        if *view.order(&self.order_id)? != Order::Absent {
            return Err(Refusal::OrderExists { order_id: self.order_id.clone() }.into());
        }
        pricing::check_customer(self.customer_id.as_ref(), view)
    }
}

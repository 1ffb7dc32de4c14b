//! An order is to be placed at once, without a cart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Order, OrderPlaced, pricing};
use super::{ShippingAddress, WantedLine};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CustomerId, OrderId};
use crate::money::Currency;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::{Label, PaymentMethod};

/// An order is to be placed at once, without a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is; a guest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The one currency of the order.
    pub currency: Currency,
    /// Its lines; they are numbered 1..n.
    pub lines: Vec<WantedLine>,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// Where it goes.
    pub shipping_address: ShippingAddress,
    /// The client's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Label>,
}

impl Decide for PlaceOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn reads(&self) -> Vec<Stream> {
        let needed = pricing::reads(self.customer_id.as_ref(), &self.lines);
        std::iter::once(self.target()).chain(needed).collect()
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        if *view.order(&order_id)? != Order::Absent {
            return Err(Refusal::OrderExists { order_id }.into());
        }
        pricing::check_customer(self.customer_id.as_ref(), view)?;
        let (lines, total) = pricing::place(self.lines.iter(), self.currency, view)?;
        Ok(vec![
            OrderPlaced {
                order_id,
                customer_id: self.customer_id.clone(),
                currency: self.currency,
                lines,
                total,
                payment_method: self.payment_method.clone(),
                shipping_address: self.shipping_address.clone(),
                reference: self.reference.clone(),
            }
            .into(),
        ])
    }
}

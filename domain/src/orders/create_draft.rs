//! A cart is to be begun.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DraftCreated, LineAdded, Order, pricing};
use super::{ShippingAddress, WantedLine};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CustomerId, OrderId};
use crate::money::Currency;
use crate::refusal::Refusal;
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
        pricing::check_count(self.lines.len())?;
        let mut events: Vec<Event> = Vec::with_capacity(1 + self.lines.len());
        events.push(
            DraftCreated {
                order_id,
                customer_id: self.customer_id.clone(),
                currency: self.currency,
                payment_method: self.payment_method.clone(),
                shipping_address: self.shipping_address.clone(),
                reference: self.reference.clone(),
            }
            .into(),
        );
        for (line, wanted) in (1..).zip(&self.lines) {
            pricing::price(wanted, self.currency, view)?;
            events.push(LineAdded::new(self.order_id.clone(), line, wanted).into());
        }
        Ok(events)
    }
}

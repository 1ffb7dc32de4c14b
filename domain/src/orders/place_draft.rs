//! A cart is to be placed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrderPlaced, pricing};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// A cart is to be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceDraft {
    /// The order.
    pub order_id: OrderId,
}

impl Decide for PlaceDraft {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let draft = view.order(&order_id)?.draft(&order_id)?;
        let head = &draft.head;
        pricing::check_customer(head.customer_id.as_ref(), view)?;
        let (lines, total) = pricing::place(draft.lines.values(), head.currency, view)?;
        Ok(vec![
            OrderPlaced {
                order_id,
                customer_id: head.customer_id.clone(),
                currency: head.currency,
                lines,
                total,
                payment_method: head.payment_method.clone(),
                shipping_address: head.shipping_address.clone(),
                reference: head.reference.clone(),
            }
            .into(),
        ])
    }
}

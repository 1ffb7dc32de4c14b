//! The personal data of a guest's order is to become unreadable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Order, OrderErased};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::refusal::Refusal;
use crate::stream::Stream;

/// The personal data of a guest's order is to become unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseOrder {
    /// The order.
    pub order_id: OrderId,
}

impl Decide for EraseOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?;
        if order.customer_id().is_some() {
            return Err(Refusal::NotAGuestOrder { order_id }.into());
        }
        let erased = match order {
            Order::Absent => return Err(Refusal::OrderNotFound { order_id }.into()),
            Order::Draft(draft) => draft.erased,
            Order::Placed(order) => order.erased,
        };
        Ok(if erased { vec![] } else { vec![OrderErased { order_id }.into()] })
    }
}

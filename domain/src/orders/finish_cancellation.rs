//! All that was done for an order that was cancelled before the pivot is undone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrderCancelled;
use super::placed_order::Phase;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// All that was done for an order that was cancelled before the pivot is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishCancellation {
    /// The order.
    pub order_id: OrderId,
}

impl Decide for FinishCancellation {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.phase {
            Phase::Cancelling(reason) => {
                Ok(vec![OrderCancelled { order_id, reason: reason.clone() }.into()])
            }
            Phase::Cancelled => Ok(vec![]),
            Phase::Placed
            | Phase::Rejecting(_)
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::Completed
            | Phase::Rejected => Err(order.refusal(&order_id).into()),
        }
    }
}

//! All that was done for a refused order is undone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrderRejected;
use super::placed_order::Phase;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// All that was done for a refused order is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishRejection {
    /// The order.
    pub order_id: OrderId,
}

impl Decide for FinishRejection {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.phase {
            Phase::Rejecting(reason) => {
                Ok(vec![OrderRejected { order_id, reason: reason.clone() }.into()])
            }
            Phase::Rejected => Ok(vec![]),
            Phase::Placed
            | Phase::Cancelling(_)
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::Completed
            | Phase::Cancelled => Err(order.refusal(&order_id).into()),
        }
    }
}

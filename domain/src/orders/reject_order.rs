//! A step was refused or the deadline passed: the order is to be refused from now on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RejectionStarted;
use super::placed_order::Phase;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;
use crate::text::Reason;

/// A step was refused or the deadline passed: the order is to be refused from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectOrder {
    /// The order.
    pub order_id: OrderId,
    /// A stable code.
    pub reason: Reason,
}

impl Decide for RejectOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.phase {
            Phase::Placed => {
                Ok(vec![RejectionStarted { order_id, reason: self.reason.clone() }.into()])
            }
            Phase::Rejecting(_) | Phase::Rejected => Ok(vec![]),
            Phase::Cancelling(_)
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::Completed
            | Phase::Cancelled => Err(order.refusal(&order_id).into()),
        }
    }
}

//! The order is to stand still.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrderHeld;
use super::placed_order::Phase;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;
use crate::text::Reason;

/// The order is to stand still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldOrder {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for HoldOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.phase {
            Phase::Placed | Phase::Confirmed if order.held => Ok(vec![]),
            Phase::Placed | Phase::Confirmed => {
                Ok(vec![OrderHeld { order_id, reason: self.reason.clone() }.into()])
            }
            Phase::Rejecting(_)
            | Phase::Cancelling(_)
            | Phase::Fulfilling
            | Phase::Completed
            | Phase::Rejected
            | Phase::Cancelled => Err(order.refusal(&order_id).into()),
        }
    }
}

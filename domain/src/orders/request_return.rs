//! Lines are to be sent back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineQuantity;
use super::placed_order::{Phase, PlacedOrder};
use super::{ReturnRequested, line_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// Lines are to be sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestReturn {
    /// The order.
    pub order_id: OrderId,
    /// Which.
    pub lines: Vec<LineQuantity>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for RequestReturn {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.phase {
            Phase::Confirmed | Phase::Fulfilling | Phase::Completed => {}
            Phase::Placed
            | Phase::Rejecting(_)
            | Phase::Cancelling(_)
            | Phase::Rejected
            | Phase::Cancelled => return Err(order.refusal(&order_id).into()),
        }
        let lines = line_sum::sum(&self.lines)?;
        for line in &lines {
            self.check_returnable(order, line)?;
        }
        let (return_id, reason) = (order.next_return(&order_id), self.reason.clone());
        Ok(vec![ReturnRequested { order_id, return_id, lines, reason }.into()])
    }
}

impl RequestReturn {
    fn check_returnable(&self, order: &PlacedOrder, wanted: &LineQuantity) -> Result<(), Refusal> {
        let (order_id, number) = (self.order_id.clone(), wanted.line);
        let line = order.line(&order_id, number)?;
        match wanted.quantity.get() {
            units if units <= line.returnable() => Ok(()),
            units if units <= line.delivered => {
                Err(Refusal::AlreadyReturned { order_id, line: number })
            }
            units if units <= line.ordered => Err(Refusal::NotDelivered { order_id, line: number }),
            units => Err(line_sum::exceeded(number, units, line.returnable())),
        }
    }
}

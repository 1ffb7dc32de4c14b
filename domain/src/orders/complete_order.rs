//! Everything is delivered or cancelled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::placed_order::{CancellationState, PlacedOrder};
use super::{OrderCompleted, OrderStatus};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::refusal::Refusal;
use crate::stream::Stream;

/// Everything is delivered or cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteOrder {
    /// The order.
    pub order_id: OrderId,
}

impl Decide for CompleteOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        if order.status() == OrderStatus::Completed {
            return Ok(vec![]);
        }
        order.check_in_progress(&order_id)?;
        if let Some(state) = unfinished(order) {
            return Err(Refusal::WrongState { what: "order", state }.into());
        }
        if order.captured(view)? != order.due() {
            return Err(Refusal::WrongState { what: "order", state: "not captured in full" }.into());
        }
        Ok(vec![OrderCompleted { order_id }.into()])
    }
}

/// What still keeps the order from being complete.
fn unfinished(order: &PlacedOrder) -> Option<&'static str> {
    let is_running = |state: &CancellationState| matches!(state, CancellationState::Running(_));
    if order.cancellations.iter().any(|cancellation| is_running(&cancellation.state)) {
        return Some("being cancelled in part");
    }
    let arrived = order.lines.iter().all(|line| line.open() == 0 && line.shipped == line.delivered);
    (!arrived).then_some("not delivered in full")
}

//! Some units are to be cancelled after the pivot.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineQuantity;
use super::placed_order::PlacedOrder;
use super::{CancellationRequested, line_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// Some units are to be cancelled after the pivot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelLines {
    /// The order.
    pub order_id: OrderId,
    /// Which.
    pub lines: Vec<LineQuantity>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for CancelLines {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        order.check_in_progress(&order_id)?;
        let lines = line_sum::sum(&self.lines)?;
        for line in &lines {
            self.check_cancellable(order, line)?;
        }
        let cancellation_id = Some(order.next_cancellation(&order_id));
        let reason = self.reason.clone();
        Ok(vec![CancellationRequested { order_id, cancellation_id, lines, reason }.into()])
    }
}

impl CancelLines {
    fn check_cancellable(&self, order: &PlacedOrder, wanted: &LineQuantity) -> Result<(), Refusal> {
        let line = order.line(&self.order_id, wanted.line)?;
        let (units, cancellable) = (wanted.quantity.get(), line.cancellable());
        if units <= cancellable {
            Ok(())
        } else if units <= cancellable.saturating_add(line.shipped) {
            Err(Refusal::AlreadyShipped { order_id: self.order_id.clone() })
        } else {
            Err(line_sum::exceeded(wanted.line, units, cancellable))
        }
    }
}

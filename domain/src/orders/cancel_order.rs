//! All that is still open of the order is to be cancelled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::placed_order::{Phase, PlacedOrder};
use super::{CancellationRequested, LineNumber, LineQuantity, Order, OrderCancelled};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::CancellationId;
use crate::ids::OrderId;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Quantity;
use crate::text::Reason;

/// All that is still open of the order is to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOrder {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for CancelOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        match view.order(&order_id)? {
            Order::Absent => Err(Refusal::OrderNotFound { order_id }.into()),
            Order::Draft(draft) if draft.cancelled => Ok(vec![]),
            Order::Draft(_) => {
                Ok(vec![OrderCancelled { order_id, reason: self.reason.clone() }.into()])
            }
            Order::Placed(order) => self.cancel(order),
        }
    }
}

impl CancelOrder {
    fn cancel(&self, order: &PlacedOrder) -> Result<Vec<Event>, Halt> {
        match &order.phase {
            Phase::Placed => Ok(vec![self.requested(None, open_units(order))]),
            Phase::Cancelling(_) | Phase::Cancelled => Ok(vec![]),
            Phase::Confirmed | Phase::Fulfilling => {
                let lines = open_units(order);
                if lines.is_empty() {
                    return Err(self.nothing_open(order).into());
                }
                Ok(vec![self.requested(Some(order.next_cancellation(&self.order_id)), lines)])
            }
            Phase::Rejecting(_) | Phase::Completed | Phase::Rejected => {
                Err(order.refusal(&self.order_id).into())
            }
        }
    }

    fn requested(&self, id: Option<CancellationId>, lines: Vec<LineQuantity>) -> Event {
        CancellationRequested {
            order_id: self.order_id.clone(),
            cancellation_id: id,
            lines,
            reason: self.reason.clone(),
        }
        .into()
    }

    fn nothing_open(&self, order: &PlacedOrder) -> Refusal {
        let order_id = self.order_id.clone();
        if order.shipped.is_empty() {
            Refusal::NothingToCancel { order_id }
        } else {
            Refusal::AlreadyShipped { order_id }
        }
    }
}

fn open_units(order: &PlacedOrder) -> Vec<LineQuantity> {
    let numbered = (1 as LineNumber..).zip(&order.lines);
    numbered
        .filter_map(|(number, line)| {
            let quantity = Quantity::new(line.cancellable()).ok()?;
            Some(LineQuantity { line: number, quantity })
        })
        .collect()
}

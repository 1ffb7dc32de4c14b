//! A cancellation is carried out: parcel stopped, stock released, money voided.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::placed_order::{Cancellation, CancellationState, PlacedOrder};
use super::{LineQuantity, LinesCancelled, OrderCancelled};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId};
use crate::refusal::Refusal;
use crate::stream::Stream;

/// A cancellation is carried out: parcel stopped, stock released, money voided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleCancellation {
    /// The order.
    pub order_id: OrderId,
    /// The cancellation.
    pub cancellation_id: CancellationId,
}

impl Decide for SettleCancellation {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order = view.order(&self.order_id)?.placed(&self.order_id)?;
        let cancellation = order.cancellation(&self.cancellation_id)?;
        match &cancellation.state {
            CancellationState::Running(lines) => self.settle(order, cancellation, lines),
            CancellationState::Settled => Ok(vec![]),
            CancellationState::Declined => {
                Err(Refusal::WrongState { what: "cancellation", state: "declined" }.into())
            }
        }
    }
}

impl SettleCancellation {
    fn settle(
        &self,
        order: &PlacedOrder,
        cancellation: &Cancellation,
        lines: &[LineQuantity],
    ) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        for quantity in lines {
            if quantity.quantity.get() > order.line(&order_id, quantity.line)?.open() {
                return Err(Refusal::AlreadyShipped { order_id }.into());
            }
        }
        let amount = order.amount(&order_id, lines)?;
        let mut events = vec![
            LinesCancelled {
                order_id: order_id.clone(),
                cancellation_id: self.cancellation_id.clone(),
                lines: lines.to_vec(),
                amount,
            }
            .into(),
        ];
        if leaves_nothing(order, lines) {
            let reason = cancellation.reason.clone();
            events.push(OrderCancelled { order_id, reason }.into());
        }
        Ok(events)
    }
}

/// Whether every unit of the order is cancelled once these are.
fn leaves_nothing(order: &PlacedOrder, lines: &[LineQuantity]) -> bool {
    let ordered: u64 = order.lines.iter().map(|line| u64::from(line.ordered)).sum();
    let cancelled: u64 = order.lines.iter().map(|line| u64::from(line.cancelled)).sum();
    let now: u64 = lines.iter().map(|line| u64::from(line.quantity.get())).sum();
    cancelled + now == ordered
}

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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        TOTAL, cancellation, cancellation_id, confirmed_order, every_unit, of, order_id, shipped,
    };
    use super::*;
    use crate::spec::given;

    fn settle(nth: u32) -> SettleCancellation {
        SettleCancellation { order_id: order_id(), cancellation_id: cancellation_id(nth) }
    }

    fn cancelled(nth: u32, lines: &[LineQuantity], amount: i64) -> LinesCancelled {
        LinesCancelled {
            order_id: order_id(),
            cancellation_id: cancellation_id(nth),
            lines: lines.to_vec(),
            amount,
        }
    }

    #[test]
    fn a_cancellation_is_settled_once_with_what_its_units_cost() {
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 2), of(2, 1)])])
            .when(settle(1))
            .then([cancelled(1, &[of(1, 2), of(2, 1)], 2 * 255 + 339)])
            .when(settle(1))
            .then_nothing();
    }

    #[test]
    fn an_order_whose_every_unit_is_cancelled_is_cancelled() {
        let whole = OrderCancelled { order_id: order_id(), reason: None };
        given(confirmed_order())
            .and([cancellation(Some(1), &every_unit())])
            .when(settle(1))
            .then([Event::from(cancelled(1, &every_unit(), TOTAL)), whole.clone().into()])
            .when(settle(1))
            .then_nothing();
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 6)])])
            .and([cancellation(Some(2), &[of(2, 4), of(3, 1)])])
            .when(settle(2))
            .then([cancelled(2, &[of(2, 4), of(3, 1)], TOTAL - 6 * 255)])
            .when(settle(1))
            .then([Event::from(cancelled(1, &[of(1, 6)], 6 * 255)), whole.into()]);
    }

    #[test]
    fn units_that_were_shipped_meanwhile_are_not_cancelled() {
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 6)])])
            .and([shipped(1, &[of(1, 1)])])
            .when(settle(1))
            .then_refused(&Refusal::AlreadyShipped { order_id: order_id() });
    }

    #[test]
    fn a_cancellation_that_nobody_asked_for_is_not_found() {
        let missing = Refusal::CancellationNotFound { cancellation_id: cancellation_id(1) };
        given(confirmed_order()).when(settle(1)).then_refused(&missing);
    }
}

//! All that is still open of the order is to be cancelled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parcels::LeftHouse;
use super::placed_order::{Phase, PlacedOrder};
use super::{CancellationRequested, LineQuantity, Order, OrderCancelled, OrderLine};
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
            Order::Placed(order) => self.cancel(order, view),
        }
    }
}

impl CancelOrder {
    fn cancel(&self, order: &PlacedOrder, view: &View<'_>) -> Result<Vec<Event>, Halt> {
        match &order.phase {
            Phase::Placed => Ok(vec![self.requested(None, lines(order, |line| line.ordered))]),
            Phase::Cancelling(_) | Phase::Cancelled => Ok(vec![]),
            Phase::Confirmed | Phase::Fulfilling => {
                let left = LeftHouse::of(order, &self.order_id, view)?;
                let lines = lines(order, |line| left.cancellable(line));
                if lines.is_empty() {
                    return Err(self.nothing_open(left.is_any(order)).into());
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

    fn nothing_open(&self, some_left: bool) -> Refusal {
        let order_id = self.order_id.clone();
        if some_left {
            Refusal::AlreadyShipped { order_id }
        } else {
            Refusal::NothingToCancel { order_id }
        }
    }
}

fn lines(order: &PlacedOrder, units: impl Fn(&OrderLine) -> u32) -> Vec<LineQuantity> {
    let lines = order.lines.iter().filter_map(|line| {
        let quantity = Quantity::new(units(line)).ok()?;
        Some(LineQuantity { line: line.line, quantity })
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        cancellation, confirmed_order, delivered_order, every_unit, of, order_id, parcel, placed,
        shipped,
    };
    use super::*;
    use crate::orders::{OrderCompleted, OrderHeld, RejectionStarted};
    use crate::spec::{given, given_nothing};

    fn cancel() -> CancelOrder {
        CancelOrder { order_id: order_id(), reason: None }
    }

    fn held() -> OrderHeld {
        OrderHeld { order_id: order_id(), reason: None }
    }

    #[test]
    fn before_the_pivot_the_whole_order_is_undone() {
        given([placed()])
            .when(cancel())
            .then([cancellation(None, &every_unit())])
            .when(cancel())
            .then_nothing()
            .and([OrderCancelled { order_id: order_id(), reason: None }])
            .when(cancel())
            .then_nothing();
    }

    #[test]
    fn after_the_pivot_all_open_units_are_asked_for() {
        given(confirmed_order()).when(cancel()).then([cancellation(Some(1), &every_unit())]);
        given(confirmed_order())
            .and([shipped(1, &[of(1, 2), of(2, 4)])])
            .when(cancel())
            .then([cancellation(Some(1), &[of(1, 4), of(3, 1)])]);
    }

    #[test]
    fn units_of_a_running_cancellation_are_not_asked_for_again() {
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 5)])])
            .when(cancel())
            .then([cancellation(Some(2), &[of(1, 1), of(2, 4), of(3, 1)])])
            .when(cancel())
            .then_refused(&Refusal::NothingToCancel { order_id: order_id() });
    }

    #[test]
    fn what_was_shipped_is_not_cancelled() {
        given(confirmed_order())
            .and([shipped(1, &every_unit())])
            .when(cancel())
            .then_refused(&Refusal::AlreadyShipped { order_id: order_id() });
    }

    #[test]
    fn a_parcel_that_left_counts_before_the_order_has_heard_of_it() {
        given(confirmed_order())
            .and([parcel(1, &[(1, "A", 2), (2, "B", 4)])])
            .when(cancel())
            .then([cancellation(Some(1), &[of(1, 4), of(3, 1)])]);
        given(confirmed_order())
            .and([parcel(1, &[(1, "A", 6), (2, "B", 4)])])
            .and([parcel(2, &[(3, "POST", 1)])])
            .when(cancel())
            .then_refused(&Refusal::AlreadyShipped { order_id: order_id() });
    }

    #[test]
    fn an_order_on_hold_is_cancelled_as_from_where_it_was_held() {
        given([placed()]).and([held()]).when(cancel()).then([cancellation(None, &every_unit())]);
        given(confirmed_order())
            .and([held()])
            .when(cancel())
            .then([cancellation(Some(1), &every_unit())]);
    }

    #[test]
    fn an_order_that_is_rejected_or_completed_is_not_cancelled() {
        let reason = Reason::parse("out_of_stock").unwrap();
        given([placed()])
            .and([RejectionStarted { order_id: order_id(), reason }])
            .when(cancel())
            .then_refused(&Refusal::RejectionStarted { order_id: order_id() });
        given(delivered_order())
            .and([OrderCompleted { order_id: order_id() }])
            .when(cancel())
            .then_refused(&Refusal::WrongState { what: "order", state: "completed" });
    }

    #[test]
    fn an_order_that_is_not_there_is_not_found() {
        given_nothing()
            .when(cancel())
            .then_refused(&Refusal::OrderNotFound { order_id: order_id() });
    }
}

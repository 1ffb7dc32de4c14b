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
        if order.paid(view)? != order.due() {
            return Err(Refusal::WrongState { what: "order", state: "not paid in full" }.into());
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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        TOTAL, cancellation, cancellation_id, captured, confirmed_order, delivered,
        delivered_order, every_unit, of, order_id, settled_by_hand, shipped,
    };
    use super::*;
    use crate::orders::LinesCancelled;
    use crate::spec::given;

    fn complete() -> CompleteOrder {
        CompleteOrder { order_id: order_id() }
    }

    fn not_yet(state: &'static str) -> Refusal {
        Refusal::WrongState { what: "order", state }
    }

    #[test]
    fn an_order_is_complete_once_all_is_delivered_and_captured() {
        given(delivered_order())
            .when(complete())
            .then([OrderCompleted { order_id: order_id() }])
            .when(complete())
            .then_nothing();
    }

    #[test]
    fn cancelled_units_need_no_delivery_and_no_money() {
        let rest = [of(2, 4), of(3, 1)];
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 6)])])
            .and([LinesCancelled {
                order_id: order_id(),
                cancellation_id: cancellation_id(1),
                lines: vec![of(1, 6)],
                amount: 6 * 255,
            }])
            .and([shipped(1, &rest)])
            .and([delivered(1, &rest)])
            .and(captured(1, TOTAL - 6 * 255))
            .when(complete())
            .then([OrderCompleted { order_id: order_id() }]);
    }

    #[test]
    fn an_order_is_not_complete_while_units_are_open_or_on_their_way() {
        given(confirmed_order()).when(complete()).then_refused(&not_yet("not delivered in full"));
        given(confirmed_order())
            .and([shipped(1, &every_unit())])
            .and(captured(1, TOTAL))
            .when(complete())
            .then_refused(&not_yet("not delivered in full"));
    }

    #[test]
    fn an_order_is_not_complete_while_a_cancellation_runs() {
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 6)])])
            .when(complete())
            .then_refused(&not_yet("being cancelled in part"));
    }

    #[test]
    fn what_a_person_settled_by_hand_counts_as_paid() {
        let paid_for = |amount| {
            given(confirmed_order())
                .and([shipped(1, &every_unit())])
                .and([delivered(1, &every_unit())])
                .and([settled_by_hand(1, amount)])
                .when(complete())
        };
        paid_for(TOTAL).then([OrderCompleted { order_id: order_id() }]);
        paid_for(TOTAL - 1).then_refused(&not_yet("not paid in full"));
    }

    #[test]
    fn an_order_is_not_complete_before_what_is_due_is_paid() {
        given(confirmed_order())
            .and([shipped(1, &every_unit())])
            .and([delivered(1, &every_unit())])
            .and(captured(1, TOTAL - 1))
            .when(complete())
            .then_refused(&not_yet("not paid in full"));
    }
}

//! Some units are to be cancelled after the pivot.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineQuantity;
use super::parcels::LeftHouse;
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
        let left = LeftHouse::of(order, &order_id, view)?;
        for line in &lines {
            self.check_cancellable(order, &left, line)?;
        }
        let cancellation_id = Some(order.next_cancellation(&order_id));
        let reason = self.reason.clone();
        Ok(vec![CancellationRequested { order_id, cancellation_id, lines, reason }.into()])
    }
}

impl CancelLines {
    fn check_cancellable(
        &self,
        order: &PlacedOrder,
        left: &LeftHouse,
        wanted: &LineQuantity,
    ) -> Result<(), Refusal> {
        let line = order.line(&self.order_id, wanted.line)?;
        let (units, cancellable) = (wanted.quantity.get(), left.cancellable(line));
        if units <= cancellable {
            Ok(())
        } else if units <= cancellable.saturating_add(left.units(line)) {
            Err(Refusal::AlreadyShipped { order_id: self.order_id.clone() })
        } else {
            Err(line_sum::exceeded(wanted.line, units, cancellable))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        cancellation, confirmed_order, every_unit, of, order_id, parcel, placed, shipped,
    };
    use super::*;
    use crate::spec::given;

    fn cancel(lines: &[LineQuantity]) -> CancelLines {
        CancelLines { order_id: order_id(), lines: lines.to_vec(), reason: None }
    }

    fn exceeded(requested: u64, allowed: u64) -> Refusal {
        Refusal::QuantityExceeded { what: "line 1".to_owned(), requested, allowed }
    }

    #[test]
    fn open_units_are_cancelled_and_the_rest_goes_on() {
        given(confirmed_order())
            .when(cancel(&[of(2, 1), of(1, 2), of(1, 1)]))
            .then([cancellation(Some(1), &[of(1, 3), of(2, 1)])])
            .when(cancel(&[of(1, 3)]))
            .then([cancellation(Some(2), &[of(1, 3)])]);
    }

    #[test]
    fn two_cancellations_can_not_claim_the_same_units() {
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 4)])])
            .when(cancel(&[of(1, 3)]))
            .then_refused(&exceeded(3, 2));
    }

    #[test]
    fn shipped_units_come_back_as_a_return_only() {
        let some_shipped = || given(confirmed_order()).and([shipped(1, &[of(1, 4)])]);
        some_shipped()
            .when(cancel(&[of(1, 3)]))
            .then_refused(&Refusal::AlreadyShipped { order_id: order_id() });
        some_shipped().when(cancel(&[of(1, 7)])).then_refused(&exceeded(7, 2));
        some_shipped().when(cancel(&[of(1, 2)])).then([cancellation(Some(1), &[of(1, 2)])]);
    }

    #[test]
    fn a_parcel_that_left_counts_before_the_order_has_heard_of_it() {
        let left = || given(confirmed_order()).and([parcel(1, &[(1, "A", 4)])]);
        left()
            .when(cancel(&[of(1, 3)]))
            .then_refused(&Refusal::AlreadyShipped { order_id: order_id() });
        left().when(cancel(&[of(1, 2)])).then([cancellation(Some(1), &[of(1, 2)])]);
    }

    #[test]
    fn lines_are_named_and_there() {
        given(confirmed_order()).when(cancel(&[])).then_refused(&Refusal::NoLines {});
        given(confirmed_order())
            .when(cancel(&[of(4, 1)]))
            .then_refused(&Refusal::LineNotFound { order_id: order_id(), line: 4 });
    }

    #[test]
    fn before_the_pivot_only_the_whole_order_is_cancelled() {
        given([placed()])
            .when(cancel(&[of(1, 1)]))
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
        given([placed()])
            .and([cancellation(None, &every_unit())])
            .when(cancel(&[of(1, 1)]))
            .then_refused(&Refusal::CancellationRequested { order_id: order_id() });
    }
}

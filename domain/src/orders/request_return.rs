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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        confirmed_order, delivered_order, of, order_id, placed, return_id, shipped,
    };
    use super::*;
    use crate::orders::OrderCompleted;
    use crate::spec::given;

    fn request(lines: &[LineQuantity]) -> RequestReturn {
        RequestReturn { order_id: order_id(), lines: lines.to_vec(), reason: None }
    }

    fn requested(nth: u32, lines: &[LineQuantity]) -> ReturnRequested {
        ReturnRequested {
            order_id: order_id(),
            return_id: return_id(nth),
            lines: lines.to_vec(),
            reason: None,
        }
    }

    #[test]
    fn delivered_units_can_be_sent_back_also_of_a_completed_order() {
        given(delivered_order())
            .when(request(&[of(1, 2), of(1, 1)]))
            .then([requested(1, &[of(1, 3)])])
            .and([OrderCompleted { order_id: order_id() }])
            .when(request(&[of(1, 3)]))
            .then([requested(2, &[of(1, 3)])]);
    }

    #[test]
    fn two_returns_can_not_claim_the_same_units() {
        given(delivered_order())
            .and([requested(1, &[of(1, 4)])])
            .when(request(&[of(1, 3)]))
            .then_refused(&Refusal::AlreadyReturned { order_id: order_id(), line: 1 });
    }

    #[test]
    fn only_what_was_delivered_comes_back() {
        given(confirmed_order())
            .and([shipped(1, &[of(1, 6)])])
            .when(request(&[of(1, 1)]))
            .then_refused(&Refusal::NotDelivered { order_id: order_id(), line: 1 });
        given(delivered_order()).when(request(&[of(1, 7)])).then_refused(
            &Refusal::QuantityExceeded { what: "line 1".to_owned(), requested: 7, allowed: 6 },
        );
    }

    #[test]
    fn lines_are_named_and_there() {
        given(delivered_order()).when(request(&[])).then_refused(&Refusal::NoLines {});
        given(delivered_order())
            .when(request(&[of(9, 1)]))
            .then_refused(&Refusal::LineNotFound { order_id: order_id(), line: 9 });
    }

    #[test]
    fn nothing_comes_back_before_the_pivot() {
        given([placed()])
            .when(request(&[of(1, 1)]))
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
    }
}

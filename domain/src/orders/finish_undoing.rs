//! All that was done for an order is undone: it ends as what it was undone for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::placed_order::Phase;
use super::{OrderCancelled, OrderRejected, OrderStatus};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// All that was done for an order that was cancelled before the pivot is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishCancellation {
    /// The order.
    pub order_id: OrderId,
}

/// All that was done for a refused order is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishRejection {
    /// The order.
    pub order_id: OrderId,
}

impl Decide for FinishCancellation {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        finish(&self.order_id, OrderStatus::Cancelled, view)
    }
}

impl Decide for FinishRejection {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        finish(&self.order_id, OrderStatus::Rejected, view)
    }
}

/// The end, if it is the one that the order is being undone for; nothing when it has come to it already.
fn finish(order_id: &OrderId, end: OrderStatus, view: &View<'_>) -> Result<Vec<Event>, Halt> {
    let order = view.order(order_id)?.placed(order_id)?;
    let (undone_for, events) = match &order.phase {
        Phase::Cancelling(reason) => {
            let (order_id, reason) = (order_id.clone(), reason.clone());
            (OrderStatus::Cancelled, vec![OrderCancelled { order_id, reason }.into()])
        }
        Phase::Rejecting(reason) => {
            let (order_id, reason) = (order_id.clone(), reason.clone());
            (OrderStatus::Rejected, vec![OrderRejected { order_id, reason }.into()])
        }
        Phase::Cancelled => (OrderStatus::Cancelled, vec![]),
        Phase::Rejected => (OrderStatus::Rejected, vec![]),
        Phase::Placed | Phase::Confirmed | Phase::Fulfilling | Phase::Completed => {
            return Err(order.refusal(order_id).into());
        }
    };
    if undone_for == end { Ok(events) } else { Err(order.refusal(order_id).into()) }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{cancellation, every_unit, order_id, placed};
    use super::*;
    use crate::orders::{CancellationRequested, RejectionStarted};
    use crate::refusal::Refusal;
    use crate::spec::{Given, given, given_nothing};
    use crate::text::Reason;

    fn finish_cancellation() -> FinishCancellation {
        FinishCancellation { order_id: order_id() }
    }

    fn finish_rejection() -> FinishRejection {
        FinishRejection { order_id: order_id() }
    }

    fn cancelling(reason: Option<Reason>) -> Given {
        let asked = cancellation(None, &every_unit());
        given([placed()]).and([CancellationRequested { reason, ..asked }])
    }

    fn rejecting(reason: Reason) -> Given {
        given([placed()]).and([RejectionStarted { order_id: order_id(), reason }])
    }

    #[test]
    fn a_cancellation_before_the_pivot_ends_once_and_for_its_own_reason() {
        let reason = Some(Reason::parse("changed my mind").unwrap());
        cancelling(reason.clone())
            .when(finish_cancellation())
            .then([OrderCancelled { order_id: order_id(), reason }])
            .when(finish_cancellation())
            .then_nothing();
    }

    #[test]
    fn a_rejection_ends_once_and_for_the_reason_that_it_started_for() {
        let reason = Reason::parse("out_of_stock").unwrap();
        rejecting(reason.clone())
            .when(finish_rejection())
            .then([OrderRejected { order_id: order_id(), reason }])
            .when(finish_rejection())
            .then_nothing();
    }

    #[test]
    fn an_order_ends_as_what_it_is_undone_for() {
        cancelling(None)
            .when(finish_rejection())
            .then_refused(&Refusal::CancellationRequested { order_id: order_id() });
        rejecting(Reason::code("out_of_stock"))
            .when(finish_cancellation())
            .then_refused(&Refusal::RejectionStarted { order_id: order_id() });
    }

    #[test]
    fn what_was_not_begun_does_not_end() {
        let placed_only = Refusal::WrongState { what: "order", state: "placed" };
        let missing = Refusal::OrderNotFound { order_id: order_id() };
        given([placed()]).when(finish_cancellation()).then_refused(&placed_only);
        given([placed()]).when(finish_rejection()).then_refused(&placed_only);
        given_nothing().when(finish_cancellation()).then_refused(&missing);
        given_nothing().when(finish_rejection()).then_refused(&missing);
    }
}

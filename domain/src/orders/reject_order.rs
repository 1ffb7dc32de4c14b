//! A step was refused or the deadline passed: the order is to be refused from now on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RejectionStarted;
use super::placed_order::Phase;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;
use crate::text::Reason;

/// A step was refused or the deadline passed: the order is to be refused from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectOrder {
    /// The order.
    pub order_id: OrderId,
    /// A stable code.
    pub reason: Reason,
}

impl Decide for RejectOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.phase {
            Phase::Placed => {
                Ok(vec![RejectionStarted { order_id, reason: self.reason.clone() }.into()])
            }
            Phase::Rejecting(_) | Phase::Rejected => Ok(vec![]),
            Phase::Cancelling(_)
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::Completed
            | Phase::Cancelled => Err(order.refusal(&order_id).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{cancellation, confirmed_order, every_unit, order_id, placed};
    use super::*;
    use crate::orders::{OrderHeld, OrderRejected};
    use crate::refusal::Refusal;
    use crate::spec::given;

    fn reason() -> Reason {
        Reason::parse("out_of_stock").unwrap()
    }

    fn reject() -> RejectOrder {
        RejectOrder { order_id: order_id(), reason: reason() }
    }

    fn started() -> RejectionStarted {
        RejectionStarted { order_id: order_id(), reason: reason() }
    }

    #[test]
    fn a_rejection_starts_once() {
        given([placed()])
            .when(reject())
            .then([started()])
            .when(reject())
            .then_nothing()
            .and([OrderRejected { order_id: order_id(), reason: reason() }])
            .when(reject())
            .then_nothing();
    }

    #[test]
    fn an_order_on_hold_can_be_rejected() {
        given([placed()])
            .and([OrderHeld { order_id: order_id(), reason: None }])
            .when(reject())
            .then([started()]);
    }

    #[test]
    fn the_pivot_and_a_cancellation_keep_an_order_from_being_rejected() {
        given(confirmed_order())
            .when(reject())
            .then_refused(&Refusal::WrongState { what: "order", state: "confirmed" });
        given([placed()])
            .and([cancellation(None, &every_unit())])
            .when(reject())
            .then_refused(&Refusal::CancellationRequested { order_id: order_id() });
    }
}

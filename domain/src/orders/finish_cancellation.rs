//! All that was done for an order that was cancelled before the pivot is undone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrderCancelled;
use super::placed_order::Phase;
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

impl Decide for FinishCancellation {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.phase {
            Phase::Cancelling(reason) => {
                Ok(vec![OrderCancelled { order_id, reason: reason.clone() }.into()])
            }
            Phase::Cancelled => Ok(vec![]),
            Phase::Placed
            | Phase::Rejecting(_)
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::Completed
            | Phase::Rejected => Err(order.refusal(&order_id).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{cancellation, every_unit, order_id, placed};
    use super::*;
    use crate::orders::CancellationRequested;
    use crate::refusal::Refusal;
    use crate::spec::{given, given_nothing};
    use crate::text::Reason;

    fn finish() -> FinishCancellation {
        FinishCancellation { order_id: order_id() }
    }

    #[test]
    fn a_cancellation_before_the_pivot_ends_once_and_for_its_own_reason() {
        let reason = Some(Reason::parse("changed my mind").unwrap());
        let asked = cancellation(None, &every_unit());
        given([placed()])
            .and([CancellationRequested { reason: reason.clone(), ..asked }])
            .when(finish())
            .then([OrderCancelled { order_id: order_id(), reason }])
            .when(finish())
            .then_nothing();
    }

    #[test]
    fn a_cancellation_that_was_not_asked_for_does_not_end() {
        given([placed()])
            .when(finish())
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
        given_nothing()
            .when(finish())
            .then_refused(&Refusal::OrderNotFound { order_id: order_id() });
    }
}

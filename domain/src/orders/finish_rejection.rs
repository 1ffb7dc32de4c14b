//! All that was done for a refused order is undone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrderRejected;
use super::placed_order::Phase;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// All that was done for a refused order is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishRejection {
    /// The order.
    pub order_id: OrderId,
}

impl Decide for FinishRejection {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.phase {
            Phase::Rejecting(reason) => {
                Ok(vec![OrderRejected { order_id, reason: reason.clone() }.into()])
            }
            Phase::Rejected => Ok(vec![]),
            Phase::Placed
            | Phase::Cancelling(_)
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::Completed
            | Phase::Cancelled => Err(order.refusal(&order_id).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{order_id, placed};
    use super::*;
    use crate::orders::RejectionStarted;
    use crate::refusal::Refusal;
    use crate::spec::{given, given_nothing};
    use crate::text::Reason;

    fn finish() -> FinishRejection {
        FinishRejection { order_id: order_id() }
    }

    #[test]
    fn a_rejection_ends_once_and_for_the_reason_that_it_started_for() {
        let reason = Reason::parse("out_of_stock").unwrap();
        given([placed()])
            .and([RejectionStarted { order_id: order_id(), reason: reason.clone() }])
            .when(finish())
            .then([OrderRejected { order_id: order_id(), reason }])
            .when(finish())
            .then_nothing();
    }

    #[test]
    fn a_rejection_that_did_not_start_does_not_end() {
        given([placed()])
            .when(finish())
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
        given_nothing()
            .when(finish())
            .then_refused(&Refusal::OrderNotFound { order_id: order_id() });
    }
}

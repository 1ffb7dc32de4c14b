//! The order is to stand still.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrderHeld;
use super::placed_order::Phase;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;
use crate::text::Reason;

/// The order is to stand still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldOrder {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for HoldOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.phase {
            Phase::Placed | Phase::Confirmed if order.held => Ok(vec![]),
            Phase::Placed | Phase::Confirmed => {
                Ok(vec![OrderHeld { order_id, reason: self.reason.clone() }.into()])
            }
            Phase::Rejecting(_)
            | Phase::Cancelling(_)
            | Phase::Fulfilling
            | Phase::Completed
            | Phase::Rejected
            | Phase::Cancelled => Err(order.refusal(&order_id).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        cancellation, confirmed_order, every_unit, of, order_id, placed, shipped,
    };
    use super::*;
    use crate::refusal::Refusal;
    use crate::spec::given;

    fn hold() -> HoldOrder {
        HoldOrder { order_id: order_id(), reason: None }
    }

    fn held() -> OrderHeld {
        OrderHeld { order_id: order_id(), reason: None }
    }

    #[test]
    fn an_order_is_held_once_before_and_after_the_pivot() {
        for before in [vec![placed().into()], confirmed_order()] {
            given(before).when(hold()).then([held()]).when(hold()).then_nothing();
        }
    }

    #[test]
    fn nothing_is_held_once_something_was_shipped() {
        given(confirmed_order())
            .and([shipped(1, &[of(1, 1)])])
            .when(hold())
            .then_refused(&Refusal::WrongState { what: "order", state: "fulfilling" });
    }

    #[test]
    fn an_order_that_is_being_undone_is_not_held() {
        given([placed()])
            .and([cancellation(None, &every_unit())])
            .when(hold())
            .then_refused(&Refusal::CancellationRequested { order_id: order_id() });
    }
}

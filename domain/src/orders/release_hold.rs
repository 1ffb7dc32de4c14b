//! The order is to go on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HoldReleased;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;
use crate::text::Reason;

/// The order is to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseHold {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for ReleaseHold {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        if order.status().is_terminal() {
            return Err(order.refusal(&order_id).into());
        }
        if !order.held {
            return Ok(vec![]);
        }
        Ok(vec![HoldReleased { order_id, reason: self.reason.clone() }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        cancellation, confirmed_order, every_unit, order_after, order_id, placed,
    };
    use super::*;
    use crate::orders::{OrderHeld, OrderRejected};
    use crate::refusal::Refusal;
    use crate::spec::given;

    fn release() -> ReleaseHold {
        ReleaseHold { order_id: order_id(), reason: None }
    }

    fn released() -> HoldReleased {
        HoldReleased { order_id: order_id(), reason: None }
    }

    #[test]
    fn why_an_order_goes_on_is_kept() {
        let reason = Some(Reason::parse("the address is right").unwrap());
        given([placed()])
            .and([held()])
            .when(ReleaseHold { reason: reason.clone(), ..release() })
            .then([HoldReleased { reason, ..released() }]);
    }

    fn held() -> OrderHeld {
        OrderHeld { order_id: order_id(), reason: None }
    }

    #[test]
    fn an_order_goes_on_once_and_from_where_it_was_held() {
        for before in [vec![placed().into()], confirmed_order()] {
            given(before.clone())
                .and([held()])
                .when(release())
                .then([released()])
                .when(release())
                .then_nothing();
            let status = order_after(before.clone()).status();
            let through: [Event; 2] = [held().into(), released().into()];
            assert_eq!(order_after(before.into_iter().chain(through)).status(), status);
        }
    }

    #[test]
    fn asking_to_cancel_ends_a_hold_before_the_pivot() {
        given([placed()])
            .and([held()])
            .and([cancellation(None, &every_unit())])
            .when(release())
            .then_nothing();
    }

    #[test]
    fn what_has_ended_is_not_released() {
        let reason = Reason::parse("out_of_stock").unwrap();
        given([placed()])
            .and([OrderRejected { order_id: order_id(), reason }])
            .when(release())
            .then_refused(&Refusal::WrongState { what: "order", state: "rejected" });
    }
}

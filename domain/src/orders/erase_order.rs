//! The personal data of a guest's order is to become unreadable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Order, OrderErased};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// The personal data of a guest's order is to become unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseOrder {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for EraseOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?;
        if order.customer_id().is_some() {
            return Err(Refusal::NotAGuestOrder { order_id }.into());
        }
        let erased = match order {
            Order::Absent => return Err(Refusal::OrderNotFound { order_id }.into()),
            Order::Draft(draft) => draft.erased,
            Order::Placed(order) => order.erased,
        };
        if erased {
            return Ok(vec![]);
        }
        Ok(vec![OrderErased { order_id, reason: self.reason.clone() }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{order_id, placed};
    use super::*;
    use crate::orders::{OrderPlaced, OrderRejected};
    use crate::spec::{given, given_nothing};
    use crate::text::Reason;

    fn erase() -> EraseOrder {
        EraseOrder { order_id: order_id(), reason: None }
    }

    fn erased() -> OrderErased {
        OrderErased { order_id: order_id(), reason: None }
    }

    #[test]
    fn why_a_guest_order_is_erased_is_kept() {
        let reason = Some(Reason::parse("asked for it by letter").unwrap());
        given([guest()])
            .when(EraseOrder { reason: reason.clone(), ..erase() })
            .then([OrderErased { reason, ..erased() }]);
    }

    fn guest() -> OrderPlaced {
        OrderPlaced { customer_id: None, ..placed() }
    }

    #[test]
    fn a_guest_order_is_erased_once_also_when_it_has_ended() {
        given([guest()]).when(erase()).then([erased()]).when(erase()).then_nothing();
        let reason = Reason::parse("out_of_stock").unwrap();
        given([guest()])
            .and([OrderRejected { order_id: order_id(), reason }])
            .when(erase())
            .then([erased()]);
    }

    #[test]
    fn an_order_of_a_customer_is_erased_with_the_customer() {
        given([placed()])
            .when(erase())
            .then_refused(&Refusal::NotAGuestOrder { order_id: order_id() });
    }

    #[test]
    fn an_order_that_is_not_there_is_not_found() {
        given_nothing()
            .when(erase())
            .then_refused(&Refusal::OrderNotFound { order_id: order_id() });
    }
}

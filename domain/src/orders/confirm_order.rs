//! The pivot: stock and money are held.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrderConfirmed;
use super::placed_order::{Phase, PlacedOrder};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::refusal::Refusal;
use crate::stream::Stream;

/// The pivot: stock and money are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmOrder {
    /// The order.
    pub order_id: OrderId,
    /// The payment that covers it; none for a total of 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
}

impl Decide for ConfirmOrder {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        if order.passed_pivot {
            return Ok(vec![]);
        }
        if order.phase != Phase::Placed {
            return Err(order.refusal(&order_id).into());
        }
        if order.held {
            return Err(Refusal::OnHold { order_id }.into());
        }
        let payment_id = self.covering_payment(order, view, context)?;
        Ok(vec![OrderConfirmed { order_id, payment_id }.into()])
    }
}

impl ConfirmOrder {
    /// The payment that covers the total; none is needed for a total of 0.
    fn covering_payment(
        &self,
        order: &PlacedOrder,
        view: &View<'_>,
        context: &Context,
    ) -> Result<Option<PaymentId>, Halt> {
        let needed = order.total;
        if needed == 0 {
            return Ok(None);
        }
        let Some(payment_id) = &self.payment_id else {
            return Err(Refusal::NotCovered { authorized: 0, needed }.into());
        };
        let authorized = order.authorized_by(payment_id, &self.order_id, view, context)?;
        if authorized < needed {
            return Err(Refusal::NotCovered { authorized, needed }.into());
        }
        Ok(Some(payment_id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        TOTAL, authorized, cancellation, confirmed, confirmed_order, every_unit, expires_at,
        order_id, payment_id, placed, requested,
    };
    use super::*;
    use crate::orders::{LinesCancelled, OrderCancelled, OrderHeld, OrderPlaced, RejectionStarted};
    use crate::spec::{given, given_nothing};
    use crate::text::Reason;

    fn confirm() -> ConfirmOrder {
        ConfirmOrder { order_id: order_id(), payment_id: Some(payment_id(1)) }
    }

    #[test]
    fn an_authorized_order_is_confirmed_once() {
        given([placed()])
            .and(authorized(1, TOTAL))
            .when(confirm())
            .then([confirmed()])
            .when(confirm())
            .then_nothing();
    }

    #[test]
    fn the_authorization_covers_the_total() {
        given([placed()])
            .and(authorized(1, TOTAL - 1))
            .when(confirm())
            .then_refused(&Refusal::NotCovered { authorized: TOTAL - 1, needed: TOTAL });
        given([placed()])
            .when(ConfirmOrder { payment_id: None, ..confirm() })
            .then_refused(&Refusal::NotCovered { authorized: 0, needed: TOTAL });
    }

    #[test]
    fn an_authorization_that_has_expired_covers_nothing() {
        given([placed()])
            .and(authorized(1, TOTAL))
            .at(expires_at())
            .when(confirm())
            .then_refused(&Refusal::NotCovered { authorized: 0, needed: TOTAL });
    }

    #[test]
    fn a_payment_that_is_not_of_this_order_is_not_found() {
        given([placed()])
            .when(confirm())
            .then_refused(&Refusal::PaymentNotFound { payment_id: payment_id(1) });
    }

    #[test]
    fn the_pivot_waits_for_an_answer_of_the_provider() {
        given([placed()]).and([requested(1, TOTAL)]).when(confirm()).then_busy();
    }

    #[test]
    fn an_order_of_nothing_needs_no_payment() {
        let unpaid = OrderConfirmed { order_id: order_id(), payment_id: None };
        given([OrderPlaced { total: 0, ..placed() }])
            .when(ConfirmOrder { payment_id: None, ..confirm() })
            .then([unpaid]);
    }

    #[test]
    fn the_pivot_is_refused_once_the_order_is_being_undone() {
        given([placed()])
            .and(authorized(1, TOTAL))
            .and([cancellation(None, &every_unit())])
            .when(confirm())
            .then_refused(&Refusal::CancellationRequested { order_id: order_id() });
        let reason = Reason::parse("out_of_stock").unwrap();
        given([placed()])
            .and(authorized(1, TOTAL))
            .and([RejectionStarted { order_id: order_id(), reason }])
            .when(confirm())
            .then_refused(&Refusal::RejectionStarted { order_id: order_id() });
    }

    #[test]
    fn an_order_on_hold_is_not_confirmed() {
        given([placed()])
            .and(authorized(1, TOTAL))
            .and([OrderHeld { order_id: order_id(), reason: None }])
            .when(confirm())
            .then_refused(&Refusal::OnHold { order_id: order_id() });
    }

    #[test]
    fn a_repeated_pivot_changes_nothing_even_when_all_was_cancelled_since() {
        let lines = every_unit().to_vec();
        given(confirmed_order())
            .and([cancellation(Some(1), &lines)])
            .and([LinesCancelled {
                order_id: order_id(),
                cancellation_id: super::super::fixtures::cancellation_id(1),
                lines,
                amount: TOTAL,
            }])
            .and([OrderCancelled { order_id: order_id(), reason: None }])
            .when(confirm())
            .then_nothing();
    }

    #[test]
    fn an_order_that_is_not_there_is_not_found() {
        given_nothing()
            .when(confirm())
            .then_refused(&Refusal::OrderNotFound { order_id: order_id() });
    }
}

//! A further payment covers what is still to be captured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PaymentReplaced;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::refusal::Refusal;
use crate::stream::Stream;

/// A further payment covers what is still to be captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplacePayment {
    /// The order.
    pub order_id: OrderId,
    /// The further payment.
    pub payment_id: PaymentId,
}

impl Decide for ReplacePayment {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { order_id, payment_id } = self.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        if order.payments.contains(&payment_id) {
            return Ok(vec![]);
        }
        order.check_in_progress(&order_id)?;
        let needed = order.worth().saturating_sub(order.paid(view)?);
        let authorized = order.authorized_by(&payment_id, &order_id, view, context)?;
        if authorized < needed {
            return Err(Refusal::NotCovered { authorized, needed }.into());
        }
        Ok(vec![PaymentReplaced { order_id, payment_id }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        TOTAL, authorized, captured, confirmed_order, of, order_id, payment_id, placed, shipped,
    };
    use super::*;
    use crate::spec::given;

    fn replace() -> ReplacePayment {
        ReplacePayment { order_id: order_id(), payment_id: payment_id(2) }
    }

    #[test]
    fn a_further_payment_covers_what_is_still_to_be_captured() {
        let rest = TOTAL - 6 * 255;
        let replaced = PaymentReplaced { order_id: order_id(), payment_id: payment_id(2) };
        let half_shipped =
            || given(confirmed_order()).and([shipped(1, &[of(1, 6)])]).and(captured(1, 6 * 255));
        half_shipped()
            .and(authorized(2, rest))
            .when(replace())
            .then([replaced])
            .when(replace())
            .then_nothing();
        half_shipped()
            .and(authorized(2, rest - 1))
            .when(replace())
            .then_refused(&Refusal::NotCovered { authorized: rest - 1, needed: rest });
    }

    #[test]
    fn before_the_pivot_there_is_nothing_to_replace() {
        given([placed()])
            .and(authorized(2, TOTAL))
            .when(replace())
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
    }
}

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
        let needed = order.worth().saturating_sub(order.captured(view)?);
        let authorized = order.authorized_by(&payment_id, &order_id, view, context)?;
        if authorized < needed {
            return Err(Refusal::NotCovered { authorized, needed }.into());
        }
        Ok(vec![PaymentReplaced { order_id, payment_id }.into()])
    }
}

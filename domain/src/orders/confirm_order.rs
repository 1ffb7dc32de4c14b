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

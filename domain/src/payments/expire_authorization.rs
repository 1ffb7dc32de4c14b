//! The provider's time is over: it holds what was not captured no more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AuthorizationExpired;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::stream::Stream;

/// The provider's time is over: it holds what was not captured no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpireAuthorization {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
}

impl Decide for ExpireAuthorization {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    /// Only time decides. What the provider is being asked for is settled first: it may have been in time.
    fn decide(&self, view: &View<'_>, context: &Context) -> Result<Vec<Event>, Halt> {
        let payment = view.payment(&self.payment_id)?;
        let missing = || Refusal::PaymentNotFound { payment_id: self.payment_id.clone() };
        if payment.order_id() != Some(&self.order_id) {
            return Err(missing().into());
        }
        if payment.has_open_operation() {
            return Err(Halt::Busy);
        }
        if payment.uncaptured() <= 0 {
            return Ok(vec![]);
        }
        if payment.is_live(context.now) {
            return Err(Refusal::WrongState { what: "authorization", state: "live" }.into());
        }
        let currency = payment.requested().map(Money::currency).ok_or_else(missing)?;
        Ok(vec![
            AuthorizationExpired {
                payment_id: self.payment_id.clone(),
                order_id: self.order_id.clone(),
                amount: Money::new(payment.uncaptured(), currency),
            }
            .into(),
        ])
    }
}

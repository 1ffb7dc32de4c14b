//! The provider is to hold the amount. Leaves the intent; the outcome follows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Operation, PaymentDeclined, PaymentRequested};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::{PaymentMethod, Reason};

/// The provider is to hold the amount. Leaves the intent; the outcome follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizePayment {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What is to be held.
    pub amount: Money,
    /// How it is paid.
    pub method: PaymentMethod,
}

impl Decide for AuthorizePayment {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    /// A repeat finds the answer that was given. One that comes while the provider is being asked has to wait for it.
    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let payment = view.payment(&self.payment_id)?;
        let declined = |code| PaymentDeclined {
            payment_id: self.payment_id.clone(),
            order_id: self.order_id.clone(),
            code,
        };
        if payment.is_tombstone() {
            return Ok(vec![declined(Reason::code("voided")).into()]);
        }
        if payment.order_id().is_none() {
            return Ok(vec![
                PaymentRequested {
                    payment_id: self.payment_id.clone(),
                    order_id: self.order_id.clone(),
                    amount: self.amount,
                    method: self.method.clone(),
                    attempt: payment.next_attempt(Operation::Authorize),
                }
                .into(),
            ]);
        }
        let same = payment.order_id() == Some(&self.order_id)
            && payment.requested() == Some(self.amount)
            && payment.method() == Some(&self.method);
        if !same {
            return Err(Refusal::PaymentExists { payment_id: self.payment_id.clone() }.into());
        }
        match (payment.open_operation(), payment.declined()) {
            (Some(open), _) if open.operation == Operation::Authorize => Err(Halt::Busy),
            (_, Some(code)) => Ok(vec![declined(code.clone()).into()]),
            (_, None) => Ok(vec![]),
        }
    }
}

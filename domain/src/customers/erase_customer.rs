//! A customer's personal data is to become unreadable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Customer, CustomerErased};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::CustomerId;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// A customer's personal data is to become unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseCustomer {
    /// The customer.
    pub customer_id: CustomerId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for EraseCustomer {
    fn target(&self) -> Stream {
        Stream::Customer(self.customer_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let customer_id = self.customer_id.clone();
        match view.customer(&customer_id)? {
            Customer::Absent => Err(Refusal::CustomerNotFound { customer_id }.into()),
            Customer::Erased => Ok(vec![]),
            Customer::Active | Customer::Blocked => {
                Ok(vec![CustomerErased { customer_id, reason: self.reason.clone() }.into()])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{blocked, customer_id, erased, registered};
    use super::*;
    use crate::spec::{given, given_nothing};

    fn erase() -> EraseCustomer {
        EraseCustomer { customer_id: customer_id(), reason: None }
    }

    #[test]
    fn why_a_customer_is_erased_is_kept() {
        let reason = Some(Reason::parse("asked for it by letter").unwrap());
        given([registered()])
            .when(EraseCustomer { reason: reason.clone(), ..erase() })
            .then([CustomerErased { reason, ..erased() }]);
    }

    #[test]
    fn a_customer_is_erased_once_also_when_blocked() {
        given([registered()]).when(erase()).then([erased()]).when(erase()).then_nothing();
        given([registered()]).and([blocked()]).when(erase()).then([erased()]);
    }

    #[test]
    fn nobody_unknown_is_erased() {
        given_nothing()
            .when(erase())
            .then_refused(&Refusal::CustomerNotFound { customer_id: customer_id() });
    }
}

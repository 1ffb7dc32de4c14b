//! A customer may not order any more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Customer, CustomerBlocked};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::CustomerId;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// A customer may not order any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockCustomer {
    /// The customer.
    pub customer_id: CustomerId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for BlockCustomer {
    fn target(&self) -> Stream {
        Stream::Customer(self.customer_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let customer_id = self.customer_id.clone();
        match view.customer(&customer_id)? {
            Customer::Absent => Err(Refusal::CustomerNotFound { customer_id }.into()),
            Customer::Erased => Err(Refusal::CustomerErased { customer_id }.into()),
            Customer::Blocked => Ok(vec![]),
            Customer::Active => {
                Ok(vec![CustomerBlocked { customer_id, reason: self.reason.clone() }.into()])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{blocked, customer_id, erased, registered};
    use super::*;
    use crate::spec::{given, given_nothing};

    fn block() -> BlockCustomer {
        BlockCustomer { customer_id: customer_id(), reason: None }
    }

    #[test]
    fn a_customer_is_blocked_once() {
        given([registered()]).when(block()).then([blocked()]).when(block()).then_nothing();
    }

    #[test]
    fn only_a_customer_who_is_there_is_blocked() {
        given_nothing()
            .when(block())
            .then_refused(&Refusal::CustomerNotFound { customer_id: customer_id() });
        given([registered()])
            .and([erased()])
            .when(block())
            .then_refused(&Refusal::CustomerErased { customer_id: customer_id() });
    }
}

//! A customer is to be known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Customer, CustomerRegistered};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::CustomerId;
use crate::personal::Personal;
use crate::refusal::Refusal;
use crate::stream::Stream;

/// A customer is to be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterCustomer {
    /// The customer.
    pub customer_id: CustomerId,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal<String>>,
    /// Their mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Personal<String>>,
    /// Their telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<String>>,
}

impl Decide for RegisterCustomer {
    fn target(&self) -> Stream {
        Stream::Customer(self.customer_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let customer_id = self.customer_id.clone();
        match view.customer(&customer_id)? {
            Customer::Absent => Ok(vec![
                CustomerRegistered {
                    customer_id,
                    name: self.name.clone(),
                    email: self.email.clone(),
                    phone: self.phone.clone(),
                }
                .into(),
            ]),
            Customer::Erased => Err(Refusal::CustomerErased { customer_id }.into()),
            // What is sealed can't be compared, so nobody can say that a second registration is the same: as with orders,
            // an id is taken once, and whoever asks again asks under the same key.
            Customer::Active | Customer::Blocked => {
                Err(Refusal::CustomerExists { customer_id }.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{blocked, customer_id, erased, registered, sealed};
    use super::*;
    use crate::spec::{given, given_nothing};

    fn register(email: Option<Personal<String>>) -> RegisterCustomer {
        RegisterCustomer { customer_id: customer_id(), name: None, email, phone: None }
    }

    #[test]
    fn a_customer_is_registered_once_whatever_is_said_of_them_the_second_time() {
        let known = [registered(), CustomerRegistered { email: Some(sealed()), ..registered() }];
        for (known, email) in known
            .into_iter()
            .flat_map(|known| [None, Some(sealed())].map(|email| (known.clone(), email)))
        {
            given([known])
                .when(register(email))
                .then_refused(&Refusal::CustomerExists { customer_id: customer_id() });
        }
    }

    #[test]
    fn a_contact_is_kept_as_it_was_sealed() {
        given_nothing().when(register(None)).then([registered()]);
        given_nothing()
            .when(register(Some(sealed())))
            .then([CustomerRegistered { email: Some(sealed()), ..registered() }]);
    }

    #[test]
    fn registering_again_unblocks_nobody() {
        given([registered()])
            .and([blocked()])
            .when(register(Some(sealed())))
            .then_refused(&Refusal::CustomerExists { customer_id: customer_id() });
    }

    #[test]
    fn an_erased_customer_does_not_come_back() {
        given([registered()])
            .and([erased()])
            .when(register(None))
            .then_refused(&Refusal::CustomerErased { customer_id: customer_id() });
    }
}

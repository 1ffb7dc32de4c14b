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
        // Sealed contacts can't be compared: only a repetition without any is certain to say nothing new.
        let has_contact = self.name.is_some() || self.email.is_some() || self.phone.is_some();
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
            Customer::Active | Customer::Blocked if has_contact => {
                Err(Refusal::CustomerExists { customer_id }.into())
            }
            Customer::Active | Customer::Blocked => Ok(vec![]),
        }
    }
}

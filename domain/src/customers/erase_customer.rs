//! A customer's personal data is to become unreadable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Customer, CustomerErased};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::CustomerId;
use crate::refusal::Refusal;
use crate::stream::Stream;

/// A customer's personal data is to become unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseCustomer {
    /// The customer.
    pub customer_id: CustomerId,
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
            Customer::Active | Customer::Blocked => Ok(vec![CustomerErased { customer_id }.into()]),
        }
    }
}

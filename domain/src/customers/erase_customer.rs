//! A customer's personal data is to become unreadable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::CustomerId;
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

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}

//! What a decision needs to know of a customer.

use serde::{Deserialize, Serialize};

use super::CustomerEvent;
use crate::decide::Aggregate;

/// What a decision needs to know of a customer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Customer {}

impl Aggregate for Customer {
    type Event = CustomerEvent;

    fn evolve(self, _event: &CustomerEvent) -> Self {
        self
    }
}

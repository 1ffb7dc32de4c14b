//! What a decision needs to know of an order.

use serde::{Deserialize, Serialize};

use super::OrderEvent;
use crate::decide::Aggregate;

/// What a decision needs to know of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {}

impl Aggregate for Order {
    type Event = OrderEvent;

    fn evolve(self, _event: &OrderEvent) -> Self {
        self
    }
}

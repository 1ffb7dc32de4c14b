//! What a decision needs to know of a product.

use serde::{Deserialize, Serialize};

use super::ProductEvent;
use crate::decide::Aggregate;

/// What a decision needs to know of a product.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Product {}

impl Aggregate for Product {
    type Event = ProductEvent;

    fn evolve(self, _event: &ProductEvent) -> Self {
        self
    }
}

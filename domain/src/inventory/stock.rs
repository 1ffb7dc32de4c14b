//! The units of a SKU.

use serde::{Deserialize, Serialize};

use super::StockEvent;
use crate::decide::Aggregate;

/// The units of a SKU.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stock {}

impl Aggregate for Stock {
    type Event = StockEvent;

    fn evolve(self, _event: &StockEvent) -> Self {
        self
    }
}

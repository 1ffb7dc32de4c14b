//! What a decision needs to know of a shipment.

use serde::{Deserialize, Serialize};

use super::ShipmentEvent;
use crate::decide::Aggregate;

/// What a decision needs to know of a shipment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shipment {}

impl Aggregate for Shipment {
    type Event = ShipmentEvent;

    fn evolve(self, _event: &ShipmentEvent) -> Self {
        self
    }
}

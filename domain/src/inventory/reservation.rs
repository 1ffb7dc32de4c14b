//! What an order holds of every SKU.

use serde::{Deserialize, Serialize};

use super::ReservationEvent;
use crate::decide::Aggregate;

/// What an order holds of every SKU.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reservation {}

impl Aggregate for Reservation {
    type Event = ReservationEvent;

    fn evolve(self, _event: &ReservationEvent) -> Self {
        self
    }
}

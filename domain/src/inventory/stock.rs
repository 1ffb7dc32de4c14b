//! The units of a SKU: what is there, and where it came from and went.
//!
//! **Invariant (law 3):** `received + restocked + adjusted − shipped − written off = available + reserved`, and
//! `available ≥ 0`.

use serde::{Deserialize, Serialize};

use super::StockEvent;
use crate::decide::Aggregate;
use crate::text::Quantity;

/// The most units of one SKU that can be on hand. Far above any shop, far below where sums would overflow.
pub(super) const MOST_ON_HAND: i64 = 1_000_000_000_000_000;

/// The units of a SKU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    available: i64,
    reserved: i64,
    received: i64,
    restocked: i64,
    adjusted: i64,
    shipped: i64,
    written_off: i64,
}

impl Stock {
    /// Units that can be reserved.
    pub fn available(&self) -> i64 {
        self.available
    }

    /// Units that orders hold.
    pub fn reserved(&self) -> i64 {
        self.reserved
    }

    /// Units in the house.
    pub fn on_hand(&self) -> i64 {
        self.available.saturating_add(self.reserved)
    }

    /// Whether law 3 holds.
    pub fn is_balanced(&self) -> bool {
        let came =
            i128::from(self.received) + i128::from(self.restocked) + i128::from(self.adjusted);
        let went = i128::from(self.shipped) + i128::from(self.written_off);
        let here = i128::from(self.available) + i128::from(self.reserved);
        came - went == here && self.available >= 0 && self.reserved >= 0
    }

    /// Whether so many units more (or, negative, less) can be counted.
    pub(super) fn can_count(&self, delta: i64) -> bool {
        self.on_hand().checked_add(delta).is_some_and(|units| units <= MOST_ON_HAND)
            && self.adjusted.checked_add(delta).is_some()
    }
}

fn add(count: &mut i64, units: i64) {
    *count = count.saturating_add(units);
}

fn units(quantity: Quantity) -> i64 {
    i64::from(quantity.get())
}

impl Aggregate for Stock {
    type Event = StockEvent;

    fn evolve(mut self, event: &StockEvent) -> Self {
        match event {
            StockEvent::StockReceived(event) => {
                add(&mut self.available, units(event.quantity));
                add(&mut self.received, units(event.quantity));
            }
            StockEvent::StockAdjusted(event) => {
                add(&mut self.available, event.delta);
                add(&mut self.adjusted, event.delta);
            }
            StockEvent::StockReserved(event) => {
                add(&mut self.available, -units(event.quantity));
                add(&mut self.reserved, units(event.quantity));
            }
            StockEvent::StockReleased(event) => {
                add(&mut self.reserved, -units(event.quantity));
                add(&mut self.available, units(event.quantity));
            }
            StockEvent::StockShipped(event) => {
                add(&mut self.reserved, -units(event.quantity));
                add(&mut self.shipped, units(event.quantity));
            }
            StockEvent::StockRestocked(event) => {
                add(&mut self.available, units(event.quantity));
                add(&mut self.restocked, units(event.quantity));
            }
            StockEvent::StockWrittenOff(event) => {
                add(&mut self.available, -units(event.quantity));
                add(&mut self.written_off, units(event.quantity));
            }
        }
        self
    }
}

//! The one event that every peer stores, and the state that it is folded into.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// The name of the event's type.
pub(crate) const EVENT_TYPE: &str = "StockReceived";

/// What happened: 267 bytes of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StockReceived {
    pub(crate) delivery: String,
    pub(crate) warehouse: String,
    pub(crate) supplier: String,
    pub(crate) quantity: u32,
    pub(crate) unit_cost_minor: u32,
    pub(crate) currency: String,
    pub(crate) received_at: String,
    pub(crate) note: String,
}

/// Where it came from: 148 bytes of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) correlation_id: String,
    pub(crate) causation_id: String,
    pub(crate) actor: String,
}

/// Both together, for a peer that has no place for metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Whole {
    pub(crate) data: StockReceived,
    pub(crate) metadata: Metadata,
}

/// What a command is decided on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stock {
    pub(crate) deliveries: u64,
    pub(crate) on_hand: u64,
    pub(crate) last_delivery: String,
}

/// More can't have been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no warehouse holds so much")]
pub(crate) struct TooMuch;

impl StockReceived {
    /// The same for all: a peer is not to be slower because its text is longer.
    pub(crate) fn sample() -> Self {
        Self {
            delivery: "delivery-2026-11-21-0000417".to_owned(),
            warehouse: "hamburg-east".to_owned(),
            supplier: "supplier-000042".to_owned(),
            quantity: 12,
            unit_cost_minor: 1999,
            currency: "EUR".to_owned(),
            received_at: "2026-11-21T13:37:00.000000Z".to_owned(),
            note: "Counted twice at the gate, one outer carton was found dented.".to_owned(),
        }
    }
}

impl Metadata {
    /// The same for all.
    pub(crate) fn sample() -> Self {
        Self {
            correlation_id: "0194f3c2-7a1b-7c3d-8e4f-5a6b7c8d9e0f".to_owned(),
            causation_id: "0194f3c2-7a1b-7c3d-8e4f-1a2b3c4d5e6f".to_owned(),
            actor: "warehouse-clerk-0000000042".to_owned(),
        }
    }

    /// As names and values.
    pub(crate) fn entries(&self) -> HashMap<String, String> {
        HashMap::from([
            ("correlation_id".to_owned(), self.correlation_id.clone()),
            ("causation_id".to_owned(), self.causation_id.clone()),
            ("actor".to_owned(), self.actor.clone()),
        ])
    }
}

impl Whole {
    /// The same for all.
    pub(crate) fn sample() -> Self {
        Self { data: StockReceived::sample(), metadata: Metadata::sample() }
    }
}

impl Stock {
    /// Says what happens when a delivery comes in.
    pub(crate) fn receive(&self) -> Result<StockReceived, TooMuch> {
        let event = StockReceived::sample();
        match self.on_hand.checked_add(u64::from(event.quantity)) {
            Some(_) => Ok(event),
            None => Err(TooMuch),
        }
    }

    /// Takes in what happened.
    pub(crate) fn apply(&mut self, event: StockReceived) {
        self.deliveries += 1;
        self.on_hand += u64::from(event.quantity);
        self.last_delivery = event.delivery;
    }

    /// The state after so many events.
    pub(crate) fn after(events: u32) -> Self {
        let mut stock = Self::default();
        for _ in 0..events {
            stock.apply(StockReceived::sample());
        }
        stock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_as_long_as_agreed() {
        assert_eq!(serde_json::to_string(&StockReceived::sample()).unwrap().len(), 267);
        assert_eq!(serde_json::to_string(&Metadata::sample()).unwrap().len(), 148);
    }

    #[test]
    fn a_state_counts_its_events() {
        assert_eq!(Stock::after(3).on_hand, 36);
    }
}

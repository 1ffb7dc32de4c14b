//! Saves the states of long streams, off the write path. A lost snapshot costs time, never a result.

use std::collections::HashMap;
use std::sync::Arc;

use domain::decide::{Entry, State, States};
use domain::stream::Stream;
use event_store::{EventLog, Snapshot};

use super::cache::StateCache;
use crate::codec;

/// Raise it whenever a state is folded otherwise though its JSON looks the same.
const STATES_VERSION: u32 = 2;

/// Names the shape of the states: snapshots of another shape are not used.
pub(super) fn schema_hash() -> u64 {
    let empty = [
        State::Product(domain::catalog::Product::default()),
        State::Customer(domain::customers::Customer::default()),
        State::Stock(domain::inventory::Stock::default()),
        State::Reservation(domain::inventory::Reservation::default()),
        State::Order(domain::orders::Order::default()),
        State::Payment(domain::payments::Payment::default()),
        State::Shipment(domain::shipping::Shipment::default()),
    ];
    let shape = serde_json::to_string(&empty).unwrap_or_default();
    fnv(format!("{STATES_VERSION} {} {shape}", env!("CARGO_PKG_VERSION")).as_bytes())
}

/// FNV-1a: stable across builds, which the standard library's hasher does not promise.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Saves the state of every stream that passed a multiple of `every` with its last `appended` events.
pub(super) fn save(
    log: &Arc<dyn EventLog>,
    schema_hash: u64,
    cache: &StateCache,
    appended: &HashMap<Stream, u64>,
    every: u64,
) {
    let due: Vec<Snapshot> = appended
        .iter()
        .filter_map(|(stream, count)| Some((stream, *count, cache.entry(stream)?)))
        .filter(|(_, count, entry)| {
            entry.version / every > entry.version.saturating_sub(*count) / every
        })
        .filter_map(|(stream, _, entry)| snapshot(stream, entry))
        .collect();
    if due.is_empty() {
        return;
    }
    let log = Arc::clone(log);
    tokio::spawn(async move {
        if let Err(error) = log.save_snapshots(schema_hash, due).await {
            tracing::warn!(%error, "snapshots could not be saved");
        }
    });
}

fn snapshot(stream: &Stream, entry: &Entry) -> Option<Snapshot> {
    match serde_json::to_string(&entry.state) {
        Ok(state) => {
            Some(Snapshot { stream: codec::stream_id(stream), version: entry.version, state })
        }
        Err(error) => {
            tracing::warn!(%error, %stream, "a state can't be saved as a snapshot");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::Event;

    /// One event for each kind of stream that has a state.
    const EVENTS: &[(&str, &str)] = &[
        (
            "ProductRegistered",
            r#"{"sku":"A","name":"A","unit_price":{"amount":1,"currency":"GBP"},"stocked":true}"#,
        ),
        ("CustomerRegistered", r#"{"customer_id":"c"}"#),
        ("StockReceived", r#"{"sku":"A","quantity":5}"#),
        ("ReservationMade", r#"{"order_id":"o","lines":[{"sku":"A","quantity":2}]}"#),
        (
            "OrderPlaced",
            r#"{"order_id":"o","currency":"GBP","lines":[{"line":1,"sku":"A","quantity":2,"unit_price":1,"stocked":true}],
                "total":2,"payment_method":"pm_ok","shipping_address":{"country":"France"}}"#,
        ),
        (
            "PaymentRequested",
            r#"{"payment_id":"o-p1","order_id":"o","amount":{"amount":2,"currency":"GBP"},"method":"pm_ok","attempt":1}"#,
        ),
        (
            "ShipmentCreated",
            r#"{"shipment_id":"o-s1","order_id":"o","lines":[{"line":1,"sku":"A","quantity":2}]}"#,
        ),
    ];

    /// When this fails, a state is written otherwise than before: raise `STATES_VERSION`, so that snapshots of the old
    /// shape are not used, and then put the new shape into the golden file.
    #[test]
    fn the_shape_of_the_states_is_the_one_that_the_version_stands_for() {
        let folded: Vec<String> = EVENTS
            .iter()
            .map(|(event_type, payload)| {
                let event = Event::from_json(event_type, 1, payload).unwrap();
                let state = State::absent(&event.stream()).evolve(&event);
                serde_json::to_string(&state).unwrap()
            })
            .collect();
        let golden = include_str!("states.golden.jsonl");
        assert_eq!(folded, golden.lines().collect::<Vec<_>>(), "version {STATES_VERSION}");
    }

    #[test]
    fn the_hash_names_the_same_shape_the_same() {
        assert_eq!(schema_hash(), schema_hash());
        assert_ne!(fnv(b"states 1"), fnv(b"states 2"));
    }
}

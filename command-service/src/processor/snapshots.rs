//! Saves the states of long streams, off the write path. A lost snapshot costs time, never a result.

use std::collections::HashMap;
use std::sync::Arc;

use domain::decide::{Entry, State, States};
use domain::stream::Stream;
use event_store::{EventLog, Snapshot};

use super::cache::StateCache;
use crate::codec;

/// Raise it whenever a state is folded otherwise though its JSON looks the same.
const STATES_VERSION: u32 = 1;

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

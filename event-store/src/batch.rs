//! What can be told of a batch by looking at it alone: sizes, what has to be known to judge it, its effect on intents.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::error::AppendError;
use crate::types::{AppendTransaction, IntentChange, MAX_EVENT_BYTES, StreamId};

/// Refuses a batch with an event that could not be published to every consumer.
pub(crate) fn check_sizes(batch: &[AppendTransaction]) -> Result<(), AppendError> {
    let events = batch.iter().flat_map(|transaction| &transaction.events);
    match events.into_iter().find(|event| event.payload.len() > MAX_EVENT_BYTES) {
        None => Ok(()),
        Some(event) => Err(AppendError::EventTooLarge {
            event_type: event.event_type.to_string(),
            size_bytes: event.payload.len(),
            limit_bytes: MAX_EVENT_BYTES,
        }),
    }
}

/// Every command id of the batch, once.
pub(crate) fn command_ids(batch: &[AppendTransaction]) -> HashSet<&Arc<str>> {
    batch.iter().map(|transaction| &transaction.command_id).collect()
}

/// Every stream whose version the judge needs: read, written, or named by an answer.
pub(crate) fn streams(batch: &[AppendTransaction]) -> HashSet<&StreamId> {
    let mut streams = HashSet::new();
    for transaction in batch {
        streams.extend(transaction.reads.iter().map(|(stream, _)| stream));
        streams.extend(transaction.events.iter().map(|event| &event.stream));
        streams.extend(transaction.answer.iter().map(|answer| &answer.target));
    }
    streams
}

/// The net effect of many changes on the open intents: first every `closed` is taken out, then every `opened` that is
/// not there yet is put in, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct IntentChanges<'a> {
    pub(crate) closed: HashSet<&'a Arc<str>>,
    pub(crate) opened: Vec<(&'a Arc<str>, &'a str)>,
}

impl<'a> IntentChanges<'a> {
    /// Folds the changes, given in the order in which they were made.
    pub(crate) fn of(changes: impl Iterator<Item = &'a IntentChange>) -> Self {
        let mut closed = HashSet::new();
        let mut places = HashMap::new();
        let mut opened = BTreeMap::new();
        for (place, change) in changes.enumerate() {
            match change {
                IntentChange::Open { id, payload } => {
                    if !places.contains_key(id) {
                        places.insert(id, place);
                        opened.insert(place, (id, payload.as_str()));
                    }
                }
                IntentChange::Close { id } => {
                    closed.insert(id);
                    if let Some(place) = places.remove(id) {
                        opened.remove(&place);
                    }
                }
            }
        }
        Self { closed, opened: opened.into_values().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(id: &str, payload: &str) -> IntentChange {
        IntentChange::Open { id: id.into(), payload: payload.into() }
    }

    fn close(id: &str) -> IntentChange {
        IntentChange::Close { id: id.into() }
    }

    #[test]
    fn an_intent_opened_and_closed_leaves_nothing_to_open() {
        let changes = [open("a", "1"), open("b", "2"), close("a")];
        let net = IntentChanges::of(changes.iter());
        assert_eq!(net.opened, [(&"b".into(), "2")]);
        assert_eq!(net.closed, HashSet::from([&"a".into()]));
    }

    #[test]
    fn an_intent_closed_and_opened_anew_stands_with_its_new_payload() {
        let changes = [open("a", "1"), close("a"), open("a", "2"), open("a", "3")];
        let net = IntentChanges::of(changes.iter());
        assert_eq!(net.opened, [(&"a".into(), "2")]);
        assert_eq!(net.closed, HashSet::from([&"a".into()]));
    }
}

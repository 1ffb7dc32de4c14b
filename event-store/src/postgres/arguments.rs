//! A batch as the arrays that the server's function takes. Reads no table and judges nothing.

use std::collections::HashMap;
use std::num::TryFromIntError;

use uuid::Uuid;

use crate::event_id;
use crate::sql::rows::integer;
use crate::types::{AppendTransaction, IntentChange, StreamId};

/// The arrays; each place is counted from 1, as the server counts.
#[derive(Default)]
pub(super) struct Arguments<'a> {
    pub(super) stream_names: Vec<&'a str>,
    pub(super) ids_repeat: bool,
    pub(super) transactions: Transactions<'a>,
    pub(super) reads: Reads,
    pub(super) events: Events<'a>,
    pub(super) intents: Intents<'a>,
    places: Places<'a>,
}

/// A column each of the transactions.
#[derive(Default)]
pub(super) struct Transactions<'a> {
    pub(super) ids: Vec<&'a str>,
    pub(super) first_of_id: Vec<i32>,
    pub(super) hashes: Vec<&'a [u8]>,
    pub(super) statuses: Vec<Option<i32>>,
    pub(super) bodies: Vec<Option<&'a str>>,
    pub(super) targets: Vec<Option<i32>>,
    pub(super) target_offsets: Vec<Option<i32>>,
    pub(super) last_events: Vec<i32>,
}

/// A column each of what they read.
#[derive(Default)]
pub(super) struct Reads {
    pub(super) transactions: Vec<i32>,
    pub(super) streams: Vec<i32>,
    pub(super) versions: Vec<i64>,
    pub(super) bases: Vec<i64>,
}

/// A column each of their events.
#[derive(Default)]
pub(super) struct Events<'a> {
    pub(super) transactions: Vec<i32>,
    pub(super) places: Vec<i32>,
    pub(super) streams: Vec<i32>,
    pub(super) names: Vec<&'a str>,
    pub(super) offsets: Vec<i32>,
    pub(super) ids: Vec<Uuid>,
    pub(super) types: Vec<&'a str>,
    pub(super) schemas: Vec<i32>,
    pub(super) payloads: Vec<&'a str>,
    pub(super) metadata: Vec<&'a str>,
}

/// A column each of their changes to the intents.
#[derive(Default)]
pub(super) struct Intents<'a> {
    pub(super) transactions: Vec<i32>,
    pub(super) opens: Vec<bool>,
    pub(super) ids: Vec<&'a str>,
    pub(super) payloads: Vec<Option<&'a str>>,
}

/// Where a stream and a command id are, and how many events of the batch each stream has so far.
#[derive(Default)]
struct Places<'a> {
    streams: HashMap<&'a str, i32>,
    commands: HashMap<&'a str, i32>,
    offsets: Vec<i32>,
}

impl<'a> Arguments<'a> {
    /// Lays the batch out. `metadata` is that of each transaction, encoded.
    pub(super) fn of(
        batch: &'a [AppendTransaction],
        metadata: &'a [String],
    ) -> Result<Self, TryFromIntError> {
        let mut arguments = Self::default();
        for ((number, transaction), metadata) in (1..).zip(batch).zip(metadata) {
            arguments.add_reads(number, transaction);
            arguments.add_events(number, transaction, metadata)?;
            arguments.add_intents(number, transaction);
            arguments.add_transaction(number, transaction);
        }
        Ok(arguments)
    }

    fn add_reads(&mut self, number: i32, transaction: &'a AppendTransaction) {
        for (stream, version) in &transaction.reads {
            let place = self.stream(stream);
            let (seen, own) = (integer(*version), i64::from(self.offset(place)));
            self.reads.transactions.push(number);
            self.reads.streams.push(place);
            self.reads.versions.push(seen);
            self.reads.bases.push(seen - own);
        }
    }

    fn add_intents(&mut self, number: i32, transaction: &'a AppendTransaction) {
        for change in &transaction.intents {
            let (opens, id, payload) = match change {
                IntentChange::Open { id, payload } => (true, id, Some(payload.as_str())),
                IntentChange::Close { id } => (false, id, None),
            };
            self.intents.transactions.push(number);
            self.intents.opens.push(opens);
            self.intents.ids.push(id);
            self.intents.payloads.push(payload);
        }
    }

    /// Comes last: its answer speaks of what its events leave behind.
    fn add_transaction(&mut self, number: i32, transaction: &'a AppendTransaction) {
        let id: &str = &transaction.command_id;
        let first = *self.places.commands.entry(id).or_insert(number);
        self.ids_repeat |= first != number;
        let target = transaction.answer.as_ref().map(|answer| self.stream(&answer.target));
        let offset = target.map(|place| self.offset(place));
        let answer = transaction.answer.as_ref();
        let columns = &mut self.transactions;
        columns.ids.push(id);
        columns.first_of_id.push(first);
        columns.hashes.push(&transaction.request_hash);
        columns.statuses.push(answer.map(|answer| answer.status.into()));
        columns.bodies.push(answer.map(|answer| answer.body.as_str()));
        columns.targets.push(target);
        columns.target_offsets.push(offset);
        columns.last_events.push(self.events.places.last().copied().unwrap_or(0));
    }

    fn add_events(
        &mut self,
        number: i32,
        transaction: &'a AppendTransaction,
        metadata: &'a str,
    ) -> Result<(), TryFromIntError> {
        for event in &transaction.events {
            let stream = self.stream(&event.stream);
            let offset = &mut self.places.offsets[index(stream)];
            *offset += 1;
            let columns = &mut self.events;
            columns.transactions.push(number);
            columns.places.push(columns.places.last().copied().unwrap_or(0) + 1);
            columns.streams.push(stream);
            columns.names.push(&event.stream);
            columns.offsets.push(*offset);
            columns.ids.push(event_id::draw());
            columns.types.push(&event.event_type);
            columns.schemas.push(event.schema_version.try_into()?);
            columns.payloads.push(&event.payload);
            columns.metadata.push(metadata);
        }
        Ok(())
    }

    /// The place of a stream, which is given one when it comes for the first time.
    fn stream(&mut self, stream: &'a StreamId) -> i32 {
        let next = count(self.stream_names.len() + 1);
        let place = *self.places.streams.entry(stream).or_insert(next);
        if place == next {
            self.stream_names.push(stream);
            self.places.offsets.push(0);
        }
        place
    }

    fn offset(&self, place: i32) -> i32 {
        self.places.offsets[index(place)]
    }
}

/// Where a place counted from 1 is in a vector.
fn index(place: i32) -> usize {
    usize::try_from(place - 1).unwrap_or_default()
}

/// A message of the protocol has at most 2^31 bytes, so no batch has more of anything.
fn count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

//! The usual batch: each of its transactions builds on what the ones before it leave behind, and nobody else wrote. Then
//! nothing is to be judged, and the server only checks that it is so.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use sqlx::error::DatabaseError;
use uuid::Uuid;

use crate::batch::IntentChanges;
use crate::event_id;
use crate::sql::rows::{count, integer};
use crate::types::{AppendTransaction, Position, StreamId, Version};

use super::ledger::Kept;

const APPEND: &str = "SELECT append_at_head($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
    $18, $19, $20, $21, $22, $23, $24)";

/// The keys that may be taken: a stream's version, a command's answer. Not a position: that is what the lock is for.
const MAY_BE_TAKEN: [&str; 2] = ["events_stream_version_key", "commands_pkey"];

/// A batch that is consistent in itself.
#[derive(Default)]
pub(super) struct Undisputed<'a> {
    places: HashMap<&'a StreamId, usize>,
    streams: Vec<Stream<'a>>,
    unanswered: Vec<&'a str>,
    events: Events<'a>,
    answers: Answers<'a>,
}

/// What the batch says of a stream.
struct Stream<'a> {
    name: &'a StreamId,
    /// Its version before the batch, once someone has said it.
    base: Option<i64>,
    /// Events of the batch in it so far.
    own: i64,
}

/// A column each of its events.
#[derive(Default)]
struct Events<'a> {
    places: Vec<usize>,
    streams: Vec<&'a str>,
    versions: Vec<i64>,
    ids: Vec<Uuid>,
    types: Vec<&'a str>,
    schemas: Vec<i32>,
    payloads: Vec<&'a str>,
    metadata: Vec<&'a str>,
}

/// A column each of its answers.
#[derive(Default)]
struct Answers<'a> {
    places: Vec<usize>,
    ids: Vec<&'a str>,
    hashes: Vec<&'a [u8]>,
    statuses: Vec<i32>,
    bodies: Vec<&'a str>,
    versions: Vec<i64>,
    last_events: Vec<i32>,
}

/// What is said of streams that are not in the ledger.
#[derive(Default)]
struct Claims<'a> {
    /// Begun before the batch, which appends to them.
    grown: Column<'a>,
    /// Only read by the batch.
    read: Column<'a>,
}

#[derive(Default)]
struct Column<'a> {
    streams: Vec<&'a str>,
    versions: Vec<i64>,
}

impl<'a> Column<'a> {
    fn push(&mut self, stream: &'a str, version: i64) {
        self.streams.push(stream);
        self.versions.push(version);
    }
}

/// What a batch left behind that passed whole.
pub(super) struct Passed {
    /// The head before it.
    pub(super) after: Position,
    /// Id and version of each of its events, in order.
    pub(super) events: Vec<(Uuid, Version)>,
    /// The version in each of its answers, in order.
    pub(super) answered: Vec<Version>,
    /// The versions of its streams.
    pub(super) streams: Vec<(StreamId, Version)>,
}

impl<'a> Undisputed<'a> {
    /// Lays the batch out; `None` when it can't all pass, or when that can't be said without asking the server.
    pub(super) fn of(batch: &'a [AppendTransaction], metadata: &'a [String]) -> Option<Self> {
        let mut laid_out = Self::default();
        let mut ids = HashSet::with_capacity(batch.len());
        for (transaction, metadata) in batch.iter().zip(metadata) {
            if !ids.insert(&transaction.command_id) {
                return None;
            }
            laid_out.add(transaction, metadata)?;
        }
        laid_out.rebase()?;
        Some(laid_out)
    }

    fn add(&mut self, transaction: &'a AppendTransaction, metadata: &'a str) -> Option<()> {
        for (stream, seen) in &transaction.reads {
            let place = self.place(stream);
            let stream = &mut self.streams[place];
            let base = integer(*seen) - stream.own;
            if base < 0 || *stream.base.get_or_insert(base) != base {
                return None;
            }
        }
        for event in &transaction.events {
            let place = self.place(&event.stream);
            let stream = &mut self.streams[place];
            stream.own += 1;
            self.events.places.push(place);
            self.events.streams.push(stream.name);
            self.events.versions.push(stream.own);
            self.events.ids.push(event_id::draw());
            self.events.types.push(&event.event_type);
            self.events.schemas.push(event.schema_version.try_into().ok()?);
            self.events.payloads.push(&event.payload);
            self.events.metadata.push(metadata);
        }
        let Some(answer) = &transaction.answer else {
            self.unanswered.push(&transaction.command_id);
            return Some(());
        };
        let place = self.place(&answer.target);
        self.answers.places.push(place);
        self.answers.ids.push(&transaction.command_id);
        self.answers.hashes.push(&transaction.request_hash);
        self.answers.statuses.push(answer.status.into());
        self.answers.bodies.push(&answer.body);
        self.answers.versions.push(self.streams[place].own);
        self.answers.last_events.push(self.events.ids.len().try_into().ok()?);
        Some(())
    }

    fn place(&mut self, name: &'a StreamId) -> usize {
        let next = self.streams.len();
        let place = *self.places.entry(name).or_insert(next);
        if place == next {
            self.streams.push(Stream { name, base: None, own: 0 });
        }
        place
    }

    /// Versions were counted within the batch; now that every base is known, they are counted from there.
    fn rebase(&mut self) -> Option<()> {
        let Self { streams, events, answers, .. } = self;
        let of_events = events.places.iter().zip(&mut events.versions);
        let of_answers = answers.places.iter().zip(&mut answers.versions);
        for (&place, version) in of_events.chain(of_answers) {
            *version += streams[place].base?;
        }
        Some(())
    }

    /// What it left behind, if it passed at this head.
    fn passed(self, head: i64) -> Result<Passed, sqlx::Error> {
        let ends = self.streams.into_iter().map(|Stream { name, base, own }| {
            Ok((StreamId::clone(name), count(base.unwrap_or_default() + own)?))
        });
        let events = self.events.ids.into_iter().zip(self.events.versions);
        let events = events.map(|(id, version)| Ok((id, count(version)?)));
        Ok(Passed {
            after: count(head)?,
            events: events.collect::<Result<_, sqlx::Error>>()?,
            answered: self.answers.versions.into_iter().map(count).collect::<Result<_, _>>()?,
            streams: ends.collect::<Result<_, sqlx::Error>>()?,
        })
    }

    /// What the server is to check; `None` when the ledger speaks against the batch.
    fn claims(&self, ledger: &Kept) -> Option<Claims<'a>> {
        let mut claims = Claims::default();
        for &Stream { name, base, own } in &self.streams {
            let base = base?;
            match (ledger.version(name), own) {
                (Some(known), _) if integer(known) == base => {}
                (Some(_), _) => return None,
                (None, 0) => claims.read.push(name, base),
                (None, _) if base > 0 => claims.grown.push(name, base),
                (None, _) => {}
            }
        }
        Some(claims)
    }

    /// Appends it; `None` when something speaks against it, and nothing was appended.
    pub(super) async fn append(
        self,
        connection: &mut PgConnection,
        token: i64,
        now: i64,
        intents: &IntentChanges<'_>,
        ledger: &Kept,
    ) -> Result<Option<Passed>, sqlx::Error> {
        let Some(Claims { grown, read }) = self.claims(ledger) else { return Ok(None) };
        let closed: Vec<&str> = intents.closed.iter().map(|id| &***id).collect();
        let (opened, payloads): (Vec<&str>, Vec<&str>) =
            intents.opened.iter().map(|(id, payload)| (&***id, *payload)).unzip();
        let query = sqlx::query_scalar(APPEND)
            .bind(token)
            .bind(ledger.head().map(integer))
            .bind(now)
            .bind(grown.streams)
            .bind(grown.versions)
            .bind(read.streams)
            .bind(read.versions)
            .bind(&self.unanswered)
            .bind(&self.events.streams)
            .bind(&self.events.versions)
            .bind(&self.events.ids)
            .bind(&self.events.types)
            .bind(&self.events.schemas)
            .bind(&self.events.payloads)
            .bind(&self.events.metadata)
            .bind(&self.answers.ids)
            .bind(&self.answers.hashes)
            .bind(&self.answers.statuses)
            .bind(&self.answers.bodies)
            .bind(&self.answers.versions)
            .bind(&self.answers.last_events)
            .bind(closed)
            .bind(opened)
            .bind(payloads);
        match query.fetch_one(connection).await {
            Ok(None) => Ok(None),
            Ok(Some(head)) => self.passed(head).map(Some),
            Err(sqlx::Error::Database(error)) if is_taken(&*error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_taken(error: &dyn DatabaseError) -> bool {
    error.is_unique_violation() && error.constraint().is_some_and(|key| MAY_BE_TAKEN.contains(&key))
}

//! The usual batch: each of its transactions builds on what the ones before it leave behind, and nobody else wrote. Then
//! nothing is to be judged, and the server only checks that it is so.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use sqlx::error::DatabaseError;
use uuid::Uuid;

use crate::batch::IntentChanges;
use crate::event_id;
use crate::judge::Known;
use crate::sql::rows::{count, integer};
use crate::types::{AppendTransaction, StreamId};

const APPEND: &str = "SELECT append_undisputed($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
    $18, $19, $20, $21, $22, $23)";

/// The keys that may be taken: a stream's version, a command's answer. Not a position: that is what the lock is for.
const MAY_BE_TAKEN: [&str; 2] = ["events_stream_version_key", "commands_pkey"];

/// A batch that is consistent in itself.
#[derive(Default)]
pub(super) struct Undisputed<'a> {
    streams: HashMap<&'a StreamId, Stream>,
    unanswered: Vec<&'a str>,
    events: Events<'a>,
    answers: Answers<'a>,
}

/// What the batch says of a stream.
#[derive(Default)]
struct Stream {
    /// Its version before the batch, once someone has said it.
    base: Option<i64>,
    /// Events of the batch in it so far.
    own: i64,
}

/// A column each of its events.
#[derive(Default)]
struct Events<'a> {
    streams: Vec<&'a StreamId>,
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
    ids: Vec<&'a str>,
    hashes: Vec<&'a [u8]>,
    statuses: Vec<i32>,
    bodies: Vec<&'a str>,
    targets: Vec<&'a StreamId>,
    versions: Vec<i64>,
    places: Vec<i32>,
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
            let stream = self.streams.entry(stream).or_default();
            let base = integer(*seen) - stream.own;
            if base < 0 || *stream.base.get_or_insert(base) != base {
                return None;
            }
        }
        for event in &transaction.events {
            let stream = self.streams.entry(&event.stream).or_default();
            stream.own += 1;
            self.events.streams.push(&event.stream);
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
        self.answers.ids.push(&transaction.command_id);
        self.answers.hashes.push(&transaction.request_hash);
        self.answers.statuses.push(answer.status.into());
        self.answers.bodies.push(&answer.body);
        self.answers.versions.push(self.streams.get(&answer.target)?.own);
        self.answers.targets.push(&answer.target);
        self.answers.places.push(self.events.ids.len().try_into().ok()?);
        Some(())
    }

    /// Versions were counted within the batch; now that every base is known, they are counted from there.
    fn rebase(&mut self) -> Option<()> {
        let Self { streams, events, answers, .. } = self;
        let of_events = events.streams.iter().zip(&mut events.versions);
        let of_answers = answers.targets.iter().zip(&mut answers.versions);
        for (stream, version) in of_events.chain(of_answers) {
            *version += streams.get(stream)?.base?;
        }
        Some(())
    }

    /// The ids of its events, in order.
    pub(super) fn into_ids(self) -> Vec<Uuid> {
        self.events.ids
    }

    /// What was known before the batch, if it passed at this head.
    fn known(&self, head: i64) -> Result<Known, sqlx::Error> {
        let versions = self.streams.iter().map(|(&stream, Stream { base, .. })| {
            Ok((StreamId::clone(stream), count(base.unwrap_or_default())?))
        });
        let versions = versions.collect::<Result<_, sqlx::Error>>()?;
        Ok(Known { commands: HashMap::new(), versions, head: count(head)? })
    }

    /// The streams that have this version before the batch and this number of its events, and the version.
    fn said_of(&self, counts: impl Fn(i64, i64) -> bool) -> (Vec<&'a str>, Vec<i64>) {
        let said = self.streams.iter().filter_map(|(&stream, &Stream { base, own })| {
            Some((&**stream, base.filter(|&base| counts(base, own))?))
        });
        said.unzip()
    }

    /// Appends it; `None` when something speaks against it, and nothing was appended.
    pub(super) async fn append(
        &self,
        connection: &mut PgConnection,
        token: i64,
        now: i64,
        intents: &IntentChanges<'_>,
    ) -> Result<Option<Known>, sqlx::Error> {
        let (grown, lengths) = self.said_of(|base, own| own > 0 && base > 0);
        let (read, versions) = self.said_of(|_, own| own == 0);
        let streams: Vec<&str> = self.events.streams.iter().map(|stream| &***stream).collect();
        let closed: Vec<&str> = intents.closed.iter().map(|id| &***id).collect();
        let (opened, payloads): (Vec<&str>, Vec<&str>) =
            intents.opened.iter().map(|(id, payload)| (&***id, *payload)).unzip();
        let query = sqlx::query_scalar(APPEND)
            .bind(token)
            .bind(now)
            .bind(grown)
            .bind(lengths)
            .bind(read)
            .bind(versions)
            .bind(&self.unanswered)
            .bind(streams)
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
            .bind(&self.answers.places)
            .bind(closed)
            .bind(opened)
            .bind(payloads);
        match query.fetch_one(connection).await {
            Ok(None) => Ok(None),
            Ok(Some(head)) => self.known(head).map(Some),
            Err(sqlx::Error::Database(error)) if is_taken(&*error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_taken(error: &dyn DatabaseError) -> bool {
    error.is_unique_violation() && error.constraint().is_some_and(|key| MAY_BE_TAKEN.contains(&key))
}

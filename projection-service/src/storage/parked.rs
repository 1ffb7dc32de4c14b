//! Keys that an operator parked: since when, why, and the positions of their events that wait.
//!
//! **Invariant:** they stand in the generation's own database. Events are held and applied in the transaction that moves the
//! checkpoint or compares it, so that each is held or applied, and once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use event_store::Position;
use storage::{BulkStatement, Connection, Row, Sql};

/// The tables, empty in a new file.
pub const SCHEMA: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS parked_keys (
    key TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    parked_at TEXT NOT NULL
) STRICT",
    "CREATE TABLE IF NOT EXISTS parked_events (
    position INTEGER PRIMARY KEY,
    key TEXT NOT NULL
) STRICT",
    "CREATE INDEX IF NOT EXISTS parked_events_by_key ON parked_events (key, position)",
];

/// What another version of Docket wrote has no such table.
const EXISTS: Sql = Sql::per_dialect(
    "SELECT count(*) FROM sqlite_schema WHERE name = 'parked_keys'",
    "SELECT count(*) FROM pg_catalog.pg_tables WHERE tablename = 'parked_keys' AND schemaname = current_schema()",
);
const READ: &str = "SELECT k.key, k.position, k.cause, k.reason, k.actor, k.parked_at,
    (SELECT count(*) FROM parked_events e WHERE e.key = k.key) AS waiting FROM parked_keys k";
const PARK: &str = "INSERT INTO parked_keys (key, position, cause, reason, actor, parked_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING";
const WAITING: &str = "SELECT position FROM parked_events WHERE key = $1 ORDER BY position";
const FORGET_EVENTS: &str = "DELETE FROM parked_events WHERE key = $1";
const FORGET_KEY: &str = "DELETE FROM parked_keys WHERE key = $1";
static HOLD: BulkStatement = BulkStatement::new("INSERT INTO parked_events (position, key)", 2, "");

/// The most keys that are parked in a model: beyond it something is wrong with the model and not with a key.
pub const MOST_KEYS: usize = 1_000;
/// The most events that wait in a model.
pub const MOST_EVENTS: u64 = 10_000;

/// A key that an operator parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedKey {
    /// The key of its row.
    pub key: String,
    /// The event that could not be applied: it and those of the key after it wait.
    pub position: Position,
    /// Why it could not.
    pub cause: String,
    /// Why it was parked, in the operator's words.
    pub reason: String,
    /// Who parked it.
    pub actor: String,
    /// When.
    pub parked_at: DateTime<Utc>,
}

/// A parked key and how many of its events wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The key.
    pub parked: ParkedKey,
    /// Its events that wait.
    pub events: u64,
}

/// All that is parked in a generation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parked {
    keys: BTreeMap<String, Waiting>,
    events: u64,
}

/// An event that is held: its position and its key.
pub type HeldEvent = (Position, String);

impl Parked {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Waiting> {
        self.keys.values()
    }

    /// The key, if it is parked.
    pub fn get(&self, key: &str) -> Option<&Waiting> {
        self.keys.get(key)
    }

    /// How many events wait.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Whether the key's event at this position has to wait.
    pub fn holds(&self, key: &str, position: Position) -> bool {
        self.keys.get(key).is_some_and(|waiting| waiting.parked.position <= position)
    }

    /// Every key, as it is to be parked in a generation that is built anew.
    pub fn all(&self) -> Vec<ParkedKey> {
        self.keys.values().map(|waiting| waiting.parked.clone()).collect()
    }

    pub(crate) fn add(&mut self, parked: &ParkedKey) {
        let waiting = || Waiting { parked: parked.clone(), events: 0 };
        self.keys.entry(parked.key.clone()).or_insert_with(waiting);
    }

    pub(crate) fn hold(&mut self, events: &[HeldEvent]) {
        for (_, key) in events {
            if let Some(waiting) = self.keys.get_mut(key) {
                waiting.events += 1;
                self.events += 1;
            }
        }
    }

    pub(crate) fn forget(&mut self, key: &str) {
        if let Some(waiting) = self.keys.remove(key) {
            self.events -= waiting.events;
        }
    }
}

/// All that is parked; nothing where another version of Docket wrote.
pub async fn read(connection: &mut Connection) -> Result<Parked, sqlx::Error> {
    let tables: i64 = connection.query(EXISTS).scalar().await?;
    if tables == 0 {
        return Ok(Parked::default());
    }
    let rows = connection.query(READ).fetch_all().await?;
    let mut parked = Parked::default();
    for row in &rows {
        let waiting = waiting(row)?;
        parked.events += waiting.events;
        parked.keys.insert(waiting.parked.key.clone(), waiting);
    }
    Ok(parked)
}

fn waiting(row: &Row) -> Result<Waiting, sqlx::Error> {
    let parked_at: String = row.try_get(5)?;
    let parked_at = DateTime::parse_from_rfc3339(&parked_at);
    let parked = ParkedKey {
        key: row.try_get(0)?,
        position: row.try_get::<i64, _>(1)?.cast_unsigned(),
        cause: row.try_get(2)?,
        reason: row.try_get(3)?,
        actor: row.try_get(4)?,
        parked_at: parked_at.map_err(|error| sqlx::Error::Decode(error.into()))?.to_utc(),
    };
    Ok(Waiting { parked, events: row.try_get::<i64, _>(6)?.cast_unsigned() })
}

/// Parks a key; one that is parked stays as it is.
pub async fn park(connection: &mut Connection, parked: &ParkedKey) -> Result<(), sqlx::Error> {
    let park = connection.query(PARK).bind(parked.key.as_str());
    let park = park.bind(parked.position.cast_signed()).bind(parked.cause.as_str());
    let park = park.bind(parked.reason.as_str()).bind(parked.actor.as_str());
    park.bind(parked.parked_at.to_rfc3339()).execute().await.map(drop)
}

/// Holds events of parked keys.
pub async fn hold(connection: &mut Connection, events: &[HeldEvent]) -> Result<(), sqlx::Error> {
    let held = HOLD.write(connection, events, |query, (position, key)| {
        query.bind(position.cast_signed()).bind(key.as_str())
    });
    held.await.map(drop)
}

/// The positions of a key's events that wait, in order.
pub async fn positions(
    connection: &mut Connection,
    key: &str,
) -> Result<Vec<Position>, sqlx::Error> {
    let positions: Vec<i64> = connection.query(WAITING).bind(key).scalars().await?;
    Ok(positions.into_iter().map(i64::cast_unsigned).collect())
}

/// Nothing waits for this key any more, and it is not parked.
pub async fn forget(connection: &mut Connection, key: &str) -> Result<(), sqlx::Error> {
    for statement in [FORGET_EVENTS, FORGET_KEY] {
        connection.query(statement).bind(key).execute().await?;
    }
    Ok(())
}

//! Writing and reading dead letters.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use messaging::jetstream::{Parked, Parking};
use service_kit::clock::Clock;
use sqlx::migrate::MigrateError;
use storage::{Durability, Location, Migrations, Row, Store};

use crate::parking::letter::{DeadLetter, NewLetter};

/// Append-only: a migration that was released is never changed.
const MIGRATIONS: Migrations = Migrations {
    table: "parking_migrations",
    sqlite: &[
        ("0001_parked", include_str!("migrations/0001_parked.sql")),
        ("0002_dead_letters", include_str!("migrations/0002_dead_letters.sql")),
    ],
    postgres: &[
        ("0001_parked", include_str!("migrations/0001_parked.sql")),
        ("0002_dead_letters", include_str!("migrations/0002_dead_letters.sql")),
    ],
};
const PARK: &str = "INSERT INTO dead_letters (number, id, command_id, body, cause, parked_at)
    SELECT COALESCE(MAX(number), 0) + 1, $1, $2, $3, $4, $5 FROM dead_letters WHERE TRUE
    ON CONFLICT (id) DO UPDATE SET cause = excluded.cause";
const PAGE: &str = "SELECT number, id, command_id, body, cause, parked_at, replayed_at, reason
    FROM dead_letters WHERE number > $1 AND ($2 = 1 OR replayed_at IS NULL) ORDER BY number LIMIT $3";
const FIND: &str = "SELECT number, id, command_id, body, cause, parked_at, replayed_at, reason
    FROM dead_letters WHERE id = $1";
/// The first one to say so is the one that is remembered.
const REPLAYED: &str = "UPDATE dead_letters SET replayed_at = $2, reason = $3
    WHERE id = $1 AND replayed_at IS NULL";

/// Where messages are kept that nobody could carry out.
#[derive(Debug)]
pub struct DeadLetters {
    store: Store,
    clock: ClockOf,
}

/// A clock has nothing to show.
struct ClockOf(Clock);

impl std::fmt::Debug for ClockOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl DeadLetters {
    /// Opens the table, making it if there is none.
    pub async fn open(location: &Location, clock: Clock) -> Result<Self, MigrateError> {
        let store = Store::open(location, Durability::Full, 1).await?;
        store.migrate(MIGRATIONS).await?;
        Ok(Self { store, clock: ClockOf(clock) })
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.store.close().await;
    }

    pub(crate) async fn park(&self, letter: &NewLetter) -> Result<(), sqlx::Error> {
        tracing::error!(letter.id, letter.cause, "a message of the command queue is parked");
        let mut writer = self.store.writer().await?;
        let park = writer.query(PARK).bind(letter.id.as_str()).bind(letter.command_id.as_deref());
        let park = park.bind(letter.body.as_str()).bind(letter.cause.as_str());
        park.bind((self.clock.0)().to_rfc3339()).execute().await?;
        Ok(())
    }

    /// The letters after this one, oldest first; `all` tells also those that were replayed.
    pub(crate) async fn page(
        &self,
        after: i64,
        all: bool,
        limit: i64,
    ) -> Result<Vec<DeadLetter>, sqlx::Error> {
        let mut reader = self.store.reader().await?;
        let rows = reader.query(PAGE).bind(after).bind(i64::from(all)).bind(limit);
        rows.fetch_all().await?.iter().map(letter).collect()
    }

    pub(crate) async fn find(&self, id: &str) -> Result<Option<DeadLetter>, sqlx::Error> {
        let mut reader = self.store.writer().await?;
        let row = reader.query(FIND).bind(id).fetch_optional().await?;
        row.as_ref().map(letter).transpose()
    }

    pub(crate) async fn replayed(&self, id: &str, reason: &str) -> Result<(), sqlx::Error> {
        let mut writer = self.store.writer().await?;
        let at = (self.clock.0)().to_rfc3339();
        writer.query(REPLAYED).bind(id).bind(at).bind(reason).execute().await?;
        Ok(())
    }
}

fn letter(row: &Row) -> Result<DeadLetter, sqlx::Error> {
    let replayed_at: Option<String> = row.try_get("replayed_at")?;
    Ok(DeadLetter {
        number: row.try_get("number")?,
        id: row.try_get("id")?,
        command_id: row.try_get("command_id")?,
        body: row.try_get("body")?,
        cause: row.try_get("cause")?,
        parked_at: time(&row.try_get::<String, _>("parked_at")?)?,
        replayed_at: replayed_at.as_deref().map(time).transpose()?,
        reason: row.try_get("reason")?,
    })
}

fn time(text: &str) -> Result<DateTime<Utc>, sqlx::Error> {
    let time = DateTime::parse_from_rfc3339(text);
    Ok(time.map_err(|error| sqlx::Error::Decode(error.into()))?.to_utc())
}

impl Parking for DeadLetters {
    fn park(
        &self,
        parked: Parked,
    ) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move {
            let letter = NewLetter::of_bytes(&parked.body, &parked.cause);
            Ok(Self::park(self, &letter).await?)
        })
    }
}

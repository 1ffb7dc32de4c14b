//! Writing parked messages. One that comes twice is kept twice: which of two broken messages is the other's repeat is
//! for a person to say.

use futures::future::BoxFuture;
use messaging::jetstream::{Parked, Parking};
use service_kit::clock::Clock;
use sqlx::migrate::MigrateError;
use storage::{Durability, Location, Migrations, Store};

/// Append-only: a migration that was released is never changed.
const MIGRATIONS: Migrations = Migrations {
    table: "parking_migrations",
    sqlite: &[("0001_parked", include_str!("migrations/0001_parked.sql"))],
    postgres: &[("0001_parked", include_str!("migrations/0001_parked.sql"))],
};
const PARK: &str = "INSERT INTO parked_commands (sequence, subject, body, cause, parked_at)
    VALUES ($1, $2, $3, $4, $5)";

/// Where messages are kept that no participant can read.
pub struct ParkedCommands {
    store: Store,
    clock: Clock,
}

impl ParkedCommands {
    /// Opens the table, making it if there is none.
    pub async fn open(location: &Location, clock: Clock) -> Result<Self, MigrateError> {
        let store = Store::open(location, Durability::Full, 1).await?;
        store.migrate(MIGRATIONS).await?;
        Ok(Self { store, clock })
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.store.close().await;
    }

    async fn keep(&self, parked: &Parked) -> Result<(), sqlx::Error> {
        let sequence = i64::try_from(parked.sequence).unwrap_or(i64::MAX);
        let body = String::from_utf8_lossy(&parked.body);
        // A text of PostgreSQL has no zero bytes.
        let body = body.replace('\0', "\u{fffd}");
        let at = (self.clock)().to_rfc3339();
        let mut writer = self.store.writer().await?;
        let park = writer.query(PARK).bind(sequence).bind(parked.subject.as_str());
        park.bind(body).bind(parked.cause.as_str()).bind(at).execute().await?;
        Ok(())
    }
}

impl Parking for ParkedCommands {
    fn park(
        &self,
        parked: Parked,
    ) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move {
            let (sequence, cause) = (parked.sequence, &parked.cause);
            tracing::error!(
                sequence,
                cause,
                "a message of the command queue can't be read: parked"
            );
            Ok(self.keep(&parked).await?)
        })
    }
}

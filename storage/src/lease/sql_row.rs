//! The row of a lease in the database that it guards.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::migrate::MigrateError;

use super::row::LeaseRow;
use crate::store::{Migrations, Sql, Store};

/// The same in both dialects.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    token BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
)";
/// Makes the token a part of a key. Whoever raises it has to wait for every transaction that passed the fence, which
/// shares the row's key; whoever renews the lease changes no key and waits for nobody.
const TOKEN_IS_KEY: &str =
    "CREATE UNIQUE INDEX IF NOT EXISTS leases_by_token ON leases (name, token)";
const MIGRATIONS: Migrations = Migrations {
    table: "lease_migrations",
    sqlite: &[("0001_leases", TABLE)],
    postgres: &[("0001_leases", TABLE), ("0002_token_is_key", TOKEN_IS_KEY)],
};

/// A statement with the time by the database's clock, in microseconds.
macro_rules! with_now {
    ($head:literal, $tail:literal) => {
        Sql::per_dialect(
            concat!($head, " CAST(unixepoch('subsec') * 1000000 AS INTEGER) ", $tail),
            concat!(
                $head,
                " CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) ",
                $tail
            ),
        )
    };
}

/// Somebody who takes the same lease at the same time waits for this row, and looks at it again.
const MAKE: &str = "INSERT INTO leases (name, holder, token, expires_at) VALUES ($1, '', 0, 0)
    ON CONFLICT (name) DO NOTHING";
const TAKE: Sql = with_now!(
    "UPDATE leases SET holder = $2, token = token + 1, expires_at = $3 + now.micros
    FROM (SELECT",
    "AS micros) AS now WHERE name = $1 AND expires_at <= now.micros RETURNING token"
);
const RENEW: Sql =
    with_now!("UPDATE leases SET expires_at = $3 +", "WHERE name = $1 AND token = $2");
const GIVE_BACK: &str = "UPDATE leases SET expires_at = 0 WHERE name = $1 AND token = $2";

/// A row of the table of leases.
pub(super) struct SqlRow {
    store: Store,
    name: Arc<str>,
}

impl SqlRow {
    /// Makes the row if there is none.
    pub(super) async fn open(store: Store, name: Arc<str>) -> Result<Self, MigrateError> {
        store.migrate_apart(MIGRATIONS).await?;
        store.writer().await?.query(MAKE).bind(&*name).execute().await?;
        Ok(Self { store, name })
    }
}

impl LeaseRow for SqlRow {
    fn take<'a>(
        &'a self,
        holder: &'a str,
        lasts: Duration,
    ) -> BoxFuture<'a, Result<Option<i64>, sqlx::Error>> {
        Box::pin(async move {
            // A token is given out once, whatever crashes: two with the same one would both pass.
            let mut transaction = self.store.begin_durable().await?;
            let take = transaction.query(TAKE).bind(&*self.name).bind(holder);
            let token = take.bind(micros(lasts)).scalar_optional().await?;
            transaction.commit().await?;
            Ok(token)
        })
    }

    fn renew(&self, token: i64, lasts: Duration) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
        Box::pin(async move {
            let mut connection = self.store.writer().await?;
            let renew = connection.query(RENEW).bind(&*self.name).bind(token).bind(micros(lasts));
            Ok(renew.execute().await? == 1)
        })
    }

    fn give_back(&self, token: i64) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let mut connection = self.store.writer().await?;
            let give_back = connection.query(GIVE_BACK).bind(&*self.name).bind(token);
            give_back.execute().await.map(drop)
        })
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

//! A lease: asked for until it is got.

use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use tokio::time::Instant;

use super::asked::{Asked, Told};
use super::fence::Fence;
use super::held::Held;
use crate::Backoff;
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

/// How long to wait before asking again for a lease that another holds.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Which lease, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSettings {
    /// What it is for.
    pub name: String,
    /// Who wants it, for people to see.
    pub holder: String,
    /// How long it lasts when it is not renewed: a standby takes over after this time.
    pub lasts: Duration,
}

impl LeaseSettings {
    /// With the usual time.
    pub fn new(name: impl Into<String>, holder: impl Into<String>) -> Self {
        Self { name: name.into(), holder: holder.into(), lasts: Duration::from_secs(4) }
    }
}

/// A right to write that at most one holds at a time.
#[derive(Clone)]
pub struct Lease(Option<Shared>);

/// What is needed to ask for a lease that others want too.
#[derive(Clone)]
pub(super) struct Shared {
    store: Store,
    name: Arc<str>,
    holder: String,
    pub(super) lasts: Duration,
}

impl Lease {
    /// Nobody else wants it: it is held at once and for ever, and costs nothing.
    pub fn always() -> Self {
        Self(None)
    }

    /// Others want it too. Its row stands in this store, where the transactions run that it guards.
    pub async fn shared(store: Store, settings: LeaseSettings) -> Result<Self, MigrateError> {
        store.migrate_apart(MIGRATIONS).await?;
        let LeaseSettings { name, holder, lasts } = settings;
        let name: Arc<str> = name.into();
        store.writer().await?.query(MAKE).bind(&*name).execute().await?;
        Ok(Self(Some(Shared { store, name, holder, lasts })))
    }

    /// Asks until it is held.
    pub async fn acquire(&self) -> Held {
        self.acquire_telling(&Told::default()).await
    }

    /// The same; `told` hears of each time that it could not be had. Never after it is held.
    pub async fn acquire_telling(&self, told: &Told) -> Held {
        let mut pauses = Backoff::new(ASK_EVERY, ASK_EVERY);
        loop {
            match self.try_acquire().await {
                Ok(Some(held)) => return held,
                Ok(None) => told.tell(Asked::AnotherHolds),
                Err(error) => {
                    tracing::debug!(%error, "a lease can't be asked for now");
                    told.tell(Asked::Failed);
                }
            }
            tokio::time::sleep(pauses.pause()).await;
        }
    }

    /// Asks once; `None` while another holds it.
    pub async fn try_acquire(&self) -> Result<Option<Held>, sqlx::Error> {
        let Some(shared) = &self.0 else { return Ok(Some(Held::always())) };
        // Ours ends no later than the database's.
        let ends = Instant::now() + shared.lasts;
        let Some(token) = shared.take().await? else { return Ok(None) };
        tracing::info!(lease = &*shared.name, token, holder = shared.holder, "the lease is held");
        Ok(Some(Held::kept(shared.clone(), token, ends)))
    }
}

impl Shared {
    pub(super) fn fence(&self, token: i64) -> Fence {
        Fence::Token { name: Arc::clone(&self.name), token }
    }

    async fn take(&self) -> Result<Option<i64>, sqlx::Error> {
        // A token is given out once, whatever crashes: two with the same one would both pass.
        let mut transaction = self.store.begin_durable().await?;
        let take = transaction.query(TAKE).bind(&*self.name).bind(self.holder.as_str());
        let token = take.bind(micros(self.lasts)).scalar_optional().await?;
        transaction.commit().await?;
        Ok(token)
    }

    /// False when another took it.
    pub(super) async fn renew(&self, token: i64) -> Result<bool, sqlx::Error> {
        let mut connection = self.store.writer().await?;
        let renew = connection.query(RENEW).bind(&*self.name).bind(token).bind(micros(self.lasts));
        Ok(renew.execute().await? == 1)
    }

    /// Whoever waits for it need not wait for its end.
    pub(super) async fn give_back(&self, token: i64) -> Result<(), sqlx::Error> {
        let mut connection = self.store.writer().await?;
        let give_back = connection.query(GIVE_BACK).bind(&*self.name).bind(token);
        give_back.execute().await.map(drop)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

//! A lease: asked for until it is got.

use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use tokio::time::Instant;

use super::asked::{Asked, Told};
use super::fence::Fence;
use super::held::Held;
use super::row::LeaseRow;
use super::sql_row::SqlRow;
use crate::Backoff;
use crate::store::Store;

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
    row: Arc<dyn LeaseRow>,
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
        let row = SqlRow::open(store, settings.name.as_str().into()).await?;
        Ok(Self::over(Arc::new(row), settings))
    }

    /// Others want it too, and its row is this.
    pub fn over(row: Arc<dyn LeaseRow>, settings: LeaseSettings) -> Self {
        let LeaseSettings { name, holder, lasts } = settings;
        Self(Some(Shared { row, name: name.into(), holder, lasts }))
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
        self.row.take(&self.holder, self.lasts).await
    }

    /// False when another took it.
    pub(super) async fn renew(&self, token: i64) -> Result<bool, sqlx::Error> {
        self.row.renew(token, self.lasts).await
    }

    /// Whoever waits for it need not wait for its end.
    pub(super) async fn give_back(&self, token: i64) -> Result<(), sqlx::Error> {
        self.row.give_back(token).await
    }
}

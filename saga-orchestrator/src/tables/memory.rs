//! Tables in memory, for simulation: whoever opens them shares them with all others who do, as orchestrators share a
//! database. They are gone with the last.
//!
//! **Invariant:** of two transactions that were open at once and both write, the second to commit fails; and none commits
//! whose lease was taken meanwhile. Between the two stands a [`Disk`], where a simulation makes it fail.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use service_kit::clock::Clock;
use storage::LeaseRow;

use super::contract::{Committing, Outcome, Tables};
use super::memory_rows::{Data, MemoryRows};
use crate::audit::{Audit, AuditedCommand};

/// So many commits may wait for the disk at once.
const MOST_LOST: usize = 64;

/// What a caller is about to do, or has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// To read, or to begin to write.
    Open,
    /// To commit: nothing is written yet.
    Commit,
    /// To hear that the commit is done: everything is written.
    Committed,
    /// To ask for a lease, or to renew it.
    Lease,
}

/// What stands between a caller and the tables. It may take its time, fail, or never answer.
pub trait Disk: Send + Sync + 'static {
    /// Lets an access through.
    fn reach(&self, access: Access) -> BoxFuture<'_, io::Result<()>>;
}

/// A disk that lets everything through.
struct Perfect;

impl Disk for Perfect {
    fn reach(&self, _: Access) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// Tables in memory, as one orchestrator reaches them.
#[derive(Clone)]
pub struct MemoryTables {
    kept: Arc<Kept>,
    disk: Arc<dyn Disk>,
}

pub(super) struct Kept {
    clock: Clock,
    data: Mutex<Data>,
    /// What there was before each of the commits that a crash may take back, oldest first.
    before: Mutex<Vec<Data>>,
    lease: Mutex<HeldLease>,
}

struct HeldLease {
    token: i64,
    ends_at: DateTime<Utc>,
}

impl MemoryTables {
    /// Empty tables on this clock.
    pub fn new(clock: Clock) -> Self {
        let lease = Mutex::new(HeldLease { token: 0, ends_at: DateTime::UNIX_EPOCH });
        Self {
            kept: Arc::new(Kept { clock, data: Mutex::default(), before: Mutex::default(), lease }),
            disk: Arc::new(Perfect),
        }
    }

    /// The same tables behind this disk.
    #[must_use]
    pub fn behind(&self, disk: Arc<dyn Disk>) -> Self {
        Self { kept: Arc::clone(&self.kept), disk }
    }

    /// Everything that the log has to agree with; `None` when no log was ever seen.
    pub fn audit(&self) -> Option<Audit> {
        let data = self.kept.data();
        let checkpoint = data.checkpoint.clone()?;
        let outbox = data.outbox.iter().map(|(id, sent)| AuditedCommand {
            command_id: id.to_string(),
            saga_id: sent.row.saga_id.clone(),
            since: sent.created_at,
            sends: sent.sends,
        });
        Some(Audit {
            log: checkpoint.log,
            position: checkpoint.position,
            event_id: checkpoint.event_id,
            sagas: data.sagas.iter().map(|saga| saga.audited()).collect(),
            outbox: outbox.collect(),
            touched_by_operators: data.actions.values().map(|done| done.saga_id.clone()).collect(),
        })
    }

    /// How often the lease went from one holder to another.
    pub fn takeovers(&self) -> u64 {
        u64::try_from(self.kept.token() - 1).unwrap_or_default()
    }

    /// As a crash of the database: of the commits since the last durable one, the last `commits` are gone, each whole, and every
    /// transaction that is under way. Tells how many there were to lose.
    pub fn lose_last(&self, commits: usize) -> usize {
        self.kept.lose_last(commits)
    }

    async fn transaction(&self, durable: bool) -> Outcome<MemoryTransaction> {
        self.reach(Access::Open).await?;
        let rows = MemoryRows::copied(Arc::clone(&self.kept));
        Ok(MemoryTransaction { tables: self.clone(), rows, durable })
    }

    async fn reach(&self, access: Access) -> Outcome<()> {
        Ok(self.disk.reach(access).await?)
    }

    fn rows(&self) -> MemoryRows {
        MemoryRows::shown(Arc::clone(&self.kept))
    }
}

impl Kept {
    pub(super) fn data(&self) -> MutexGuard<'_, Data> {
        // A panic while the lock was held is a bug that its test reports.
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn before(&self) -> MutexGuard<'_, Vec<Data>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This is what there is from now on.
    pub(super) fn put(&self, data: &mut Data, next: Data, durable: bool) {
        let was = std::mem::replace(data, next);
        let mut before = self.before();
        if durable {
            before.clear();
        } else {
            before.push(was);
            let old = before.len().saturating_sub(MOST_LOST);
            before.drain(..old);
        }
    }

    fn lose_last(&self, commits: usize) -> usize {
        let mut data = self.data();
        let mut before = self.before();
        let there = before.len();
        let kept = there.saturating_sub(commits);
        if let Some(was) = before.drain(kept..).next() {
            *data = was.at_version(data.version() + 1);
        }
        there - kept
    }

    fn lease(&self) -> MutexGuard<'_, HeldLease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn token(&self) -> i64 {
        self.lease().token
    }
}

/// A transaction: a copy of its own, put in the place of what there was.
pub(crate) struct MemoryTransaction {
    tables: MemoryTables,
    rows: MemoryRows,
    durable: bool,
}

impl Deref for MemoryTransaction {
    type Target = MemoryRows;

    fn deref(&self) -> &MemoryRows {
        &self.rows
    }
}

impl DerefMut for MemoryTransaction {
    fn deref_mut(&mut self) -> &mut MemoryRows {
        &mut self.rows
    }
}

impl Committing for MemoryTransaction {
    async fn commit(self) -> Outcome<()> {
        let Self { tables, rows, durable } = self;
        tables.reach(Access::Commit).await?;
        rows.settle(durable)?;
        tables.reach(Access::Committed).await
    }
}

impl Tables for MemoryTables {
    type Rows = MemoryRows;
    type Transaction = MemoryTransaction;

    async fn begin(&self) -> Outcome<MemoryTransaction> {
        self.transaction(false).await
    }

    async fn begin_durable(&self) -> Outcome<MemoryTransaction> {
        self.transaction(true).await
    }

    async fn writer(&self) -> Outcome<MemoryRows> {
        self.reach(Access::Open).await?;
        Ok(self.rows())
    }

    async fn reader(&self) -> Outcome<MemoryRows> {
        self.reach(Access::Open).await?;
        Ok(self.rows())
    }
}

impl LeaseRow for MemoryTables {
    fn take<'a>(
        &'a self,
        _holder: &'a str,
        lasts: Duration,
    ) -> BoxFuture<'a, Result<Option<i64>, sqlx::Error>> {
        Box::pin(async move {
            self.reach(Access::Lease).await?;
            let now = (self.kept.clock)();
            let mut lease = self.kept.lease();
            if lease.ends_at > now {
                return Ok(None);
            }
            *lease = HeldLease { token: lease.token + 1, ends_at: now + delta(lasts) };
            Ok(Some(lease.token))
        })
    }

    fn renew(&self, token: i64, lasts: Duration) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
        Box::pin(async move {
            self.reach(Access::Lease).await?;
            let now = (self.kept.clock)();
            let mut lease = self.kept.lease();
            if lease.token == token {
                lease.ends_at = now + delta(lasts);
            }
            Ok(lease.token == token)
        })
    }

    fn give_back(&self, token: i64) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async move {
            self.reach(Access::Lease).await?;
            let mut lease = self.kept.lease();
            if lease.token == token {
                lease.ends_at = DateTime::UNIX_EPOCH;
            }
            Ok(())
        })
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

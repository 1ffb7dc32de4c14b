//! One generation of a projector, in a place of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_store::{LogIdentity, Position};
use storage::{Durability, Fence, Location, Store};

use super::checkpoint::{self, Checkpoint};
use super::home::Home;
use super::parked::{self, Parked};
use crate::model::Definition;

/// Reading connections of a live model.
const READERS: u32 = 3;

/// One generation of a projector, open.
#[derive(Debug, Clone)]
pub struct Generation {
    /// Counted from 1.
    pub number: u32,
    /// Where it is.
    pub location: Location,
    /// Its connections.
    pub database: Store,
    /// What every transaction passes first.
    pub(crate) fence: Fence,
    /// How far the rows follow the log; see [`Self::reach`].
    reached: Arc<Reached>,
}

/// What the one who writes says, for those who read.
#[derive(Debug, Default)]
struct Reached {
    /// The checkpoint that was committed last.
    kept: AtomicU64,
    /// How far the rows follow the log: beyond the checkpoint by what the model does not read.
    passed: AtomicU64,
}

/// How far the rows of a generation follow the log, asked before a read begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    kept: Position,
    passed: Position,
}

impl Reach {
    /// The position that a snapshot with this checkpoint shows; `None` when the database has lost commits since.
    pub fn shown_with(self, checkpoint: Position) -> Option<Position> {
        (checkpoint >= self.kept).then(|| checkpoint.max(self.passed))
    }
}

impl Generation {
    /// Opens it, making it with its tables if need be.
    pub async fn open(
        home: &Home,
        definition: &Definition,
        number: u32,
        identity: &LogIdentity,
    ) -> Result<(Self, Checkpoint, Parked), sqlx::Error> {
        let location = home.generation(definition.name, number);
        let database = Store::open(&location, Durability::Rebuildable, READERS).await?;
        let (checkpoint, parked) = match begin(&database, definition, identity).await {
            Ok(begun) => begun,
            Err(error) => {
                // Nobody may have a file open that is moved out of the way.
                database.close().await;
                return Err(error);
            }
        };
        let fence = home.fence.clone();
        let generation = Self { number, location, database, fence, reached: Arc::default() };
        Ok((generation, checkpoint, parked))
    }

    /// Opens what exists, to look at it only; another process may be writing it.
    pub async fn look(
        home: &Home,
        definition: &Definition,
        number: u32,
    ) -> Result<Self, sqlx::Error> {
        let location = home.generation(definition.name, number);
        let database = Store::open_read_only(&location, READERS).await?;
        let fence = home.fence.clone();
        Ok(Self { number, location, database, fence, reached: Arc::default() })
    }

    /// What every read that begins from now on shows, as long as the database keeps what it committed.
    pub fn reach(&self) -> Reach {
        let kept = self.reached.kept.load(Ordering::Acquire);
        Reach { kept, passed: self.reached.passed.load(Ordering::Acquire) }
    }

    /// Notes, after the commit, where the checkpoint stands and that the rows follow the log up to a position.
    pub(crate) fn reached(&self, kept: Position, passed: Position) {
        // A reader that sees the one without the other is told less than there is.
        self.reached.passed.store(passed, Ordering::Release);
        self.reached.kept.store(kept, Ordering::Release);
    }

    /// Closes it and deletes it.
    pub async fn discard(self) {
        self.database.close().await;
        if let Err(error) = self.location.remove().await {
            let location = self.location;
            tracing::warn!(%error, %location, "an old read model could not be deleted");
        }
    }
}

/// Makes the tables if need be; where the rows stand, and what is parked.
async fn begin(
    database: &Store,
    definition: &Definition,
    identity: &LogIdentity,
) -> Result<(Checkpoint, Parked), sqlx::Error> {
    let mut connection = database.writer().await?;
    connection.define(&[checkpoint::SCHEMA]).await?;
    connection.define(parked::SCHEMA).await?;
    connection.define(definition.schema).await?;
    let checkpoint = checkpoint::find_or_begin(&mut connection, identity).await?;
    Ok((checkpoint, parked::read(&mut connection).await?))
}

//! One generation of a projector, in a place of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_store::{LogIdentity, Position};
use storage::{Durability, Fence, Location, Store};

use super::checkpoint::{self, Checkpoint};
use super::home::Home;
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
    /// How far the rows follow the log; see [`Self::position_seen`].
    reached: Arc<AtomicU64>,
}

impl Generation {
    /// Opens it, making it with its tables if need be.
    pub async fn open(
        home: &Home,
        definition: &Definition,
        number: u32,
        identity: &LogIdentity,
    ) -> Result<(Self, Checkpoint), sqlx::Error> {
        let location = home.generation(definition.name, number);
        let database = Store::open(&location, Durability::Rebuildable, READERS).await?;
        let checkpoint = match begin(&database, definition, identity).await {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                // Nobody may have a file open that is moved out of the way.
                database.close().await;
                return Err(error);
            }
        };
        let fence = home.fence.clone();
        Ok((Self { number, location, database, fence, reached: Arc::default() }, checkpoint))
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

    /// A position that every read that begins from now on shows. It may be beyond the file's checkpoint: nothing that
    /// the model reads lies between.
    pub fn position_seen(&self) -> Position {
        self.reached.load(Ordering::Acquire)
    }

    /// Notes, after the commit, that the rows follow the log up to this position.
    pub(crate) fn reached(&self, position: Position) {
        self.reached.store(position, Ordering::Release);
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

/// Makes the tables if need be; where the rows stand.
async fn begin(
    database: &Store,
    definition: &Definition,
    identity: &LogIdentity,
) -> Result<Checkpoint, sqlx::Error> {
    let mut connection = database.writer().await?;
    connection.define(&[checkpoint::SCHEMA]).await?;
    connection.define(definition.schema).await?;
    checkpoint::find_or_begin(&mut connection, identity).await
}

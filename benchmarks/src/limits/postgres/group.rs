//! Group commit in its least form: clients queue to one writer, which writes whatever waits as one statement.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::{mpsc, oneshot};

use super::singly::next;
use super::table::{self, Rows};
use crate::clients::{Done, Load};
use crate::harness::Measurement;
use crate::postgres::Database;
use crate::subjects::Asked;

/// Most events of a commit.
const MOST: usize = 512;

/// An event, and who waits for its position.
struct Waiting {
    stream: String,
    version: i64,
    position: oneshot::Sender<i64>,
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub(in crate::limits) struct Group {
    queue: mpsc::Sender<Waiting>,
}

impl Group {
    /// Starts a writer on this connection. It ends with the last way to it.
    pub(in crate::limits) fn start(connection: PgConnection) -> Self {
        let (queue, waiting) = mpsc::channel(4 * MOST);
        tokio::spawn(write(connection, waiting));
        Self { queue }
    }

    /// Appends an event and answers with its position, once that is on disk.
    pub(in crate::limits) async fn append(&self, stream: String, version: i64) -> Result<i64> {
        let (position, answer) = oneshot::channel();
        let waiting = Waiting { stream, version, position };
        self.queue.send(waiting).await.ok().context("the writer ended")?;
        answer.await.context("the insert failed")
    }
}

async fn write(mut connection: PgConnection, mut waiting: mpsc::Receiver<Waiting>) -> Result<()> {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, MOST).await > 0 {
        let mut rows = Rows::default();
        let mut answers = Vec::with_capacity(batch.len());
        for Waiting { stream, version, position } in batch.drain(..) {
            rows.push(stream, version);
            answers.push(position);
        }
        for (answer, position) in answers.into_iter().zip(rows.insert(&mut connection).await?) {
            // Who went away needs no answer.
            let _ = answer.send(position);
        }
    }
    Ok(())
}

/// Appends of this many clients.
pub(in crate::limits) async fn in_groups(asked: &Asked, clients: u32) -> Result<Measurement> {
    let database = Database::create(&asked.postgres).await?;
    let mut connection = PgConnection::connect(database.url()).await?;
    table::create(&mut connection).await?;
    database.settle().await?;
    let group = Arc::new(Group::start(connection));
    let load = Load::of(clients, asked.seconds);
    let outcome = load.closed(move |client, number| {
        let group = Arc::clone(&group);
        async move {
            let (stream, version) = next(client, clients, number);
            group.append(stream, version).await?;
            Ok(Done::Yes)
        }
    });
    let outcome = outcome.await?;
    database.remove().await?;
    outcome.measured(&asked.subject, &asked.row, clients)
}

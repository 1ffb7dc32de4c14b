//! Group commit in its least form: clients queue to one writer, which writes whatever waits as one statement. With answers it
//! writes the very rows that a command of Docket leaves, and decides nothing.

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

/// What is written of a command.
#[derive(Debug, Clone, Copy)]
pub(in crate::limits) enum Writes {
    /// Its event.
    Event,
    /// Its event, and its answer under its key.
    EventAndAnswer,
}

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
    pub(in crate::limits) fn start(connection: PgConnection, writes: Writes) -> Self {
        let (queue, waiting) = mpsc::channel(4 * MOST);
        tokio::spawn(write(connection, waiting, writes));
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

async fn write(
    mut connection: PgConnection,
    mut waiting: mpsc::Receiver<Waiting>,
    writes: Writes,
) -> Result<()> {
    let (mut batch, mut head) = (Vec::new(), table::loaded());
    while waiting.recv_many(&mut batch, MOST).await > 0 {
        let mut rows = Rows::default();
        let mut answers = Vec::with_capacity(batch.len());
        for Waiting { stream, version, position } in batch.drain(..) {
            rows.push(stream, version);
            answers.push(position);
        }
        let positions = match writes {
            Writes::Event => rows.insert(&mut connection).await?,
            Writes::EventAndAnswer => rows.insert_answered(&mut connection, head).await?,
        };
        head = positions.last().copied().unwrap_or(head);
        for (answer, position) in answers.into_iter().zip(positions) {
            // Who went away needs no answer.
            let _ = answer.send(position);
        }
    }
    Ok(())
}

/// Appends of this many clients.
pub(in crate::limits) async fn in_groups(
    asked: &Asked,
    clients: u32,
    writes: Writes,
) -> Result<Measurement> {
    let database = Database::create(&asked.postgres).await?;
    let mut connection = PgConnection::connect(database.url()).await?;
    table::create(&mut connection).await?;
    database.settle().await?;
    let group = Arc::new(Group::start(connection, writes));
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

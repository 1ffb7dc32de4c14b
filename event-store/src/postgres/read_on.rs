//! Reads much: statements over many events, whose rows are decoded on the way to whoever takes them, while the server reads
//! on. Pages would wait for the server and let it wait in turn; a task that reads ahead would be woken for every few rows.
//!
//! **Invariant:** it goes on after the last event that was taken, so what fails on the way is read again.

use futures::channel::mpsc;
use futures::stream::{self, BoxStream};
use futures::{FutureExt as _, SinkExt as _, StreamExt as _, TryStreamExt as _};
use sqlx::PgConnection;
use storage::postgres::PostgresPool;

use super::read;
use crate::contract::PAGE;
use crate::error::StoreError;
use crate::sql::rows::{EventDecoder, event_columns, integer};
use crate::types::{Position, RecordedEvent};

/// Positions of one statement. It has the time of one call, which its taker's work is part of.
const SPAN: u64 = 65_536;
/// Events after position `$1`, up to position `$2`.
const SOME: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE position > $1 AND position <= $2 ORDER BY position"
);

type Page = Result<Vec<RecordedEvent>, StoreError>;

pub(super) fn pages(pool: PostgresPool, after: Position, to: Position) -> BoxStream<'static, Page> {
    let (sender, taken) = mpsc::channel(0);
    let reader = Reader { pool, at: after, to, pages: sender };
    // Whoever takes the pages drives the reader: no other thread is woken.
    let reading = reader.run().into_stream().filter_map(|()| std::future::ready(None));
    stream::select(taken, reading).boxed()
}

struct Reader {
    pool: PostgresPool,
    /// The last position that was handed out.
    at: Position,
    to: Position,
    pages: mpsc::Sender<Page>,
}

impl Reader {
    async fn run(mut self) {
        while self.at < self.to {
            let from = self.at;
            let spans = self.pool.clone();
            let failed = spans.call(async |connection| self.span(connection).await).await.err();
            if self.pages.is_closed() {
                return;
            }
            if self.at > from {
                // Whatever failed then, it went on.
                continue;
            }
            let Some(error) = failed else { return };
            // It may be too slow for a statement over many. A page is read before it is handed out.
            if !self.page().await {
                tracing::debug!(%error, "events can't be read on");
                return;
            }
        }
    }

    async fn span(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let until = self.to.min(self.at.saturating_add(SPAN));
        let query = sqlx::query(SOME).bind(integer(self.at)).bind(integer(until));
        let mut rows = query.fetch(connection);
        let (mut page, mut decoder) = (Vec::with_capacity(PAGE), EventDecoder::default());
        while let Some(row) = rows.try_next().await? {
            page.push(decoder.decode(&row)?);
            if page.len() == PAGE {
                let full = std::mem::replace(&mut page, Vec::with_capacity(PAGE));
                if !self.hand_out(full).await {
                    break;
                }
            }
        }
        self.hand_out(page).await;
        Ok(())
    }

    /// One page by itself; whether it goes on.
    async fn page(&mut self) -> bool {
        let (at, limit) = (self.at, usize::try_from(self.to - self.at).unwrap_or(PAGE).min(PAGE));
        let read = self.pool.call(async |connection| read::all(connection, at, limit).await);
        match read.await {
            Ok(page) => !page.is_empty() && self.hand_out(page).await,
            Err(error) => {
                let error = StoreError::new("read the log", error);
                // Whoever took the pages may have gone.
                drop(self.pages.send(Err(error)).await);
                false
            }
        }
    }

    /// Whether somebody took it.
    async fn hand_out(&mut self, page: Vec<RecordedEvent>) -> bool {
        let Some(last) = page.last().map(|event| event.position) else { return true };
        let taken = self.pages.send(Ok(page)).await.is_ok();
        if taken {
            self.at = last;
        }
        taken
    }
}

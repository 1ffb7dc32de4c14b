//! Plain reads of the rows that a log of Docket's left behind, decoded as far as the log's own readers decode them.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use domain::event::Event;
use event_store::Metadata;
use uuid::Uuid;

use super::{postgres, sqlite};
use crate::library::Backend;
use crate::subjects::{PAGES_POSTGRES, PAGES_SQLITE, STREAM_POSTGRES, STREAM_SQLITE};

/// Events of a page.
pub(super) const PAGE: i64 = 1_000;

/// A row as it lies there.
pub(super) struct Plain<'r> {
    pub(super) position: i64,
    pub(super) stream: &'r str,
    pub(super) version: i64,
    pub(super) id: Uuid,
    pub(super) event_type: &'r str,
    pub(super) schema_version: i32,
    pub(super) payload: &'r str,
    pub(super) metadata: &'r str,
    pub(super) recorded_at: i64,
}

impl Plain<'_> {
    /// Reads payload and metadata; gives the position.
    pub(super) fn decode(&self) -> Result<i64> {
        let schema_version = u32::try_from(self.schema_version)?;
        let event = Event::from_json(self.event_type, schema_version, self.payload)?;
        let metadata: Metadata = serde_json::from_str(self.metadata)?;
        let recorded_at = chrono::DateTime::from_timestamp_micros(self.recorded_at);
        let read = (event, metadata, recorded_at, self.stream.to_owned(), self.version, self.id);
        std::hint::black_box(read);
        Ok(self.position)
    }
}

/// How long it takes to read the log at this place by one statement, and by pages.
pub(crate) async fn reads(
    backend: Backend,
    place: &str,
    events: u64,
) -> Result<Vec<(String, Duration)>> {
    match backend {
        Backend::Memory => Ok(Vec::new()),
        Backend::Postgres => Ok(vec![
            timed(STREAM_POSTGRES, events, postgres::streamed(place)).await?,
            timed(PAGES_POSTGRES, events, postgres::pages(place)).await?,
        ]),
        Backend::Sqlite => {
            let path = Path::new(place);
            Ok(vec![
                timed(STREAM_SQLITE, events, sqlite::streamed(path)).await?,
                timed(PAGES_SQLITE, events, sqlite::pages(path)).await?,
            ])
        }
    }
}

async fn timed(
    subject: &str,
    events: u64,
    read: impl Future<Output = Result<u64>>,
) -> Result<(String, Duration)> {
    let begun = Instant::now();
    let seen = read.await?;
    ensure!(seen == events, "{subject} read {seen} events of {events}");
    Ok((subject.to_owned(), begun.elapsed()))
}

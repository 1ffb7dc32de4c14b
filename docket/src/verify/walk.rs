//! The log from its first event to its last, also where it has holes or events that can't be read.
//!
//! **Invariant:** what can't be read is named by its position and passed over; everything else is read all the same. A
//! failure that says nothing of the data is an error.

use anyhow::{Context as _, Result};
use event_store::{Position, RecordedEvent, StoreError};
use futures::TryStreamExt as _;
use futures::stream::BoxStream;

use crate::data_dir::ReadLog;

/// Positions that are passed over, or read one by one, at once.
const STRETCH: u64 = 1_000;

type Pages<'l> = BoxStream<'l, Result<Vec<RecordedEvent>, StoreError>>;

/// A stretch of the log.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    /// What can be read of it, in order.
    pub(super) events: Vec<RecordedEvent>,
    /// What can't, by its position, and why.
    pub(super) unreadable: Vec<(Position, String)>,
}

/// Goes through a log.
pub(super) struct Walk<'l> {
    log: &'l ReadLog,
    /// The last position that was read or passed over.
    at: Position,
    head: Position,
    pages: Option<Pages<'l>>,
}

impl<'l> Walk<'l> {
    /// Up to this position.
    pub(super) fn up_to(log: &'l ReadLog, head: Position) -> Self {
        Self { log, at: 0, head, pages: None }
    }

    /// What comes next; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Stretch>> {
        while self.at < self.head {
            let pages = self.pages.get_or_insert_with(|| self.log.read_on(self.at, self.head));
            match pages.try_next().await {
                Ok(Some(events)) => {
                    self.at = events.last().map_or(self.at, |last| last.position);
                    return Ok(Some(Stretch { events, ..Stretch::default() }));
                }
                // It ends before the head where so many events in a row are gone.
                Ok(None) => {
                    self.pages = None;
                    self.at = self.end_of_stretch();
                }
                Err(error) if error.is_undecodable() => {
                    self.pages = None;
                    return self.one_by_one().await.map(Some);
                }
                Err(error) => return Err(error).context("the log can't be read"),
            }
        }
        Ok(None)
    }

    async fn one_by_one(&mut self) -> Result<Stretch> {
        let (to, mut stretch) = (self.end_of_stretch(), Stretch::default());
        while self.at < to {
            match self.log.read_all(self.at, 1).await {
                Ok(mut found) => match found.pop() {
                    Some(event) if event.position <= to => {
                        self.at = event.position;
                        stretch.events.push(event);
                    }
                    // Beyond a hole, or nothing.
                    Some(_) | None => self.at += 1,
                },
                Err(error) if error.is_undecodable() => {
                    self.at += 1;
                    let why = format!("{:#}", anyhow::Error::from(error));
                    stretch.unreadable.push((self.at, why));
                }
                Err(error) => return Err(error).context("the log can't be read"),
            }
        }
        Ok(stretch)
    }

    fn end_of_stretch(&self) -> Position {
        self.head.min(self.at + STRETCH)
    }
}

//! Builds generations from history up to a position: several at once, reading and decoding once.

use std::sync::Arc;

use event_store::Position;
use messaging::feed::{Feed, FeedError};
use tokio::sync::mpsc;

use super::apply::{Apply, ApplyError};
use super::source;
use crate::decoded::{Page, Readers};

/// Pages that wait for one generation.
const WAITING_PAGES: usize = 2;

/// Why a generation could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// It can't take an event, or its database failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// History can't be read.
    #[error("history can't be read")]
    Feed(#[source] Arc<FeedError>),
    /// The task that built it ended.
    #[error("the task that builds the model ended")]
    Ended,
}

/// Told of every page: the name of the model, and the position that it reached.
pub type OnProgress = Arc<dyn Fn(&'static str, Position) + Send + Sync>;

/// A generation under way, with its name.
pub type Building = (&'static str, Box<dyn Apply>);

/// Brings each of them to position `to`.
pub async fn build(
    feed: Arc<dyn Feed>,
    readers: Readers,
    building: Vec<Building>,
    to: Position,
    progress: OnProgress,
) -> Vec<Result<Building, BuildError>> {
    let from = building.iter().map(|(_, applier)| applier.checkpoint().position).min();
    let mut seats = Vec::new();
    let mut tasks = Vec::new();
    for one in building {
        let (seat, pages) = mpsc::channel(WAITING_PAGES);
        seats.push(seat);
        tasks.push(tokio::spawn(apply_all(one, pages, to, Arc::clone(&progress))));
    }
    let failed = hand_out(feed, readers, from.unwrap_or(to), to, seats).await.err().map(Arc::new);
    let mut built = Vec::with_capacity(tasks.len());
    for task in tasks {
        built.push(match (task.await, &failed) {
            (Ok(Err(error)), _) => Err(error.into()),
            (Ok(Ok(_)), Some(error)) => Err(BuildError::Feed(Arc::clone(error))),
            (Ok(Ok(one)), None) => Ok(one),
            (Err(_), _) => Err(BuildError::Ended),
        });
    }
    built
}

async fn hand_out(
    feed: Arc<dyn Feed>,
    readers: Readers,
    from: Position,
    to: Position,
    mut seats: Vec<mpsc::Sender<Arc<Page>>>,
) -> Result<(), FeedError> {
    let mut pages = source::history(feed, readers, from, to);
    while let Some(page) = pages.recv().await {
        let page = page?;
        let mut open = Vec::with_capacity(seats.len());
        for seat in seats {
            if seat.send(Arc::clone(&page)).await.is_ok() {
                open.push(seat);
            }
        }
        seats = open;
    }
    Ok(())
}

async fn apply_all(
    (name, mut applier): Building,
    mut pages: mpsc::Receiver<Arc<Page>>,
    to: Position,
    progress: OnProgress,
) -> Result<Building, ApplyError> {
    while let Some(page) = pages.recv().await {
        applier.apply(&page, to).await?;
        progress(name, applier.checkpoint().position);
    }
    applier.keep_position().await?;
    Ok((name, applier))
}

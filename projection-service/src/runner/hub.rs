//! One reader of the feed for all projectors that have caught up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_store::Position;
use messaging::feed::Feed;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::source;
use crate::decoded::{Page, Readers};

/// Pages that wait for one projector, as while it commits, before the others wait for it too.
const WAITING_PAGES: usize = 16;

/// A projector's place at the shared reader.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Every page after `at`.
    pub(crate) pages: mpsc::Receiver<Arc<Page>>,
    /// Where the reader stood when the seat was taken.
    pub(crate) at: Position,
}

/// Takes seats at the shared reader.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    joins: mpsc::Sender<oneshot::Sender<Seat>>,
    at: Arc<AtomicU64>,
}

impl Hub {
    /// Starts reading after a position, once the first seat is taken.
    pub(crate) fn start(
        feed: Arc<dyn Feed>,
        readers: Readers,
        after: Position,
        stop: CancellationToken,
    ) -> Self {
        let (joins, joining) = mpsc::channel(16);
        let at = Arc::new(AtomicU64::new(after));
        let reader = Reader { feed, readers, at: Arc::clone(&at), seats: Vec::new() };
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = reader.run(joining) => {}
            }
        });
        Self { joins, at }
    }

    /// Where the reader stands.
    pub(crate) fn position(&self) -> Position {
        self.at.load(Ordering::Acquire)
    }

    /// Takes a seat; `None` when the reader has ended.
    pub(crate) async fn join(&self) -> Option<Seat> {
        let (reply, seat) = oneshot::channel();
        self.joins.send(reply).await.ok()?;
        seat.await.ok()
    }
}

struct Reader {
    feed: Arc<dyn Feed>,
    readers: Readers,
    at: Arc<AtomicU64>,
    seats: Vec<mpsc::Sender<Arc<Page>>>,
}

impl Reader {
    async fn run(mut self, mut joining: mpsc::Receiver<oneshot::Sender<Seat>>) {
        let Some(join) = joining.recv().await else { return };
        self.seat(join);
        let at = self.at.load(Ordering::Acquire);
        let mut pages = source::follow(Arc::clone(&self.feed), self.readers.clone(), at);
        loop {
            tokio::select! {
                biased;
                join = joining.recv() => match join {
                    Some(join) => self.seat(join),
                    None => return,
                },
                page = pages.recv() => match page {
                    Some(page) => self.hand_out(&page).await,
                    None => return,
                },
            }
        }
    }

    async fn hand_out(&mut self, page: &Arc<Page>) {
        self.at.store(page.last(), Ordering::Release);
        let mut open = Vec::with_capacity(self.seats.len());
        for seat in std::mem::take(&mut self.seats) {
            if seat.send(Arc::clone(page)).await.is_ok() {
                open.push(seat);
            }
        }
        self.seats = open;
    }

    fn seat(&mut self, join: oneshot::Sender<Seat>) {
        let (sender, pages) = mpsc::channel(WAITING_PAGES);
        if join.send(Seat { pages, at: self.at.load(Ordering::Acquire) }).is_ok() {
            self.seats.push(sender);
        }
    }
}

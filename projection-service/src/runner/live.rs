//! A live projector: catches up, takes a seat at the shared reader, and applies what comes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_store::Position;
use messaging::feed::Feed;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::applier::{Apply, ApplyError, Fault};
use super::handle::{Handle, Held, Hold};
use super::hub::{Hub, Seat};
use super::source;
use super::status::{Progress, State};
use crate::decoded::{Page, Readers};
use crate::projectors::Projector;

/// A projector this many events behind the shared reader catches up on its own before it takes a seat.
pub(crate) const NEAR: u64 = 10_000;
/// How often a position that was passed without rows is written down.
const KEEP_POSITION_EVERY: Duration = Duration::from_secs(1);
/// The longest wait before a failed write is tried again.
const MOST_WAIT: Duration = Duration::from_secs(5);

/// Why it does not follow any more.
enum Left {
    /// The service ends.
    Stopped,
    /// It can't go on.
    Faulted(Fault),
    /// Another generation took its place; it begins where that one stands.
    Replaced,
}

/// A live projector.
pub(crate) struct Live {
    handle: Arc<Handle>,
    applier: Box<dyn Apply>,
    holds: mpsc::Receiver<Hold>,
    feed: Arc<dyn Feed>,
    readers: Readers,
    hub: Hub,
    stop: CancellationToken,
    begun: (Instant, Position),
}

impl Live {
    pub(crate) fn new(
        projector: Projector,
        applier: Box<dyn Apply>,
        feed: Arc<dyn Feed>,
        readers: Readers,
        hub: Hub,
        stop: CancellationToken,
    ) -> Self {
        let (sender, holds) = mpsc::channel(1);
        let position = applier.checkpoint().position;
        let handle =
            Handle::new(projector, applier.generation().clone(), position, sender, hub.hurry());
        let begun = (Instant::now(), position);
        Self { handle: Arc::new(handle), applier, holds, feed, readers, hub, stop, begun }
    }

    pub(crate) fn handle(&self) -> Arc<Handle> {
        Arc::clone(&self.handle)
    }

    /// Runs until the service ends.
    pub(crate) async fn run(mut self) {
        loop {
            self.begun = (Instant::now(), self.position());
            let left = match self.follow().await {
                Ok(never) => match never {},
                Err(Left::Faulted(fault)) => self.stand_still(fault).await,
                Err(left) => left,
            };
            if let Left::Stopped = left {
                break;
            }
        }
        self.keep_position().await;
        self.handle.current().database.close().await;
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, Left> {
        self.check_history().await?;
        while self.position() + NEAR < self.hub.position() {
            self.read_history(self.hub.position()).await?;
        }
        let Seat { mut pages, at } = self.hub.join().await.ok_or(Left::Stopped)?;
        if self.position() < at {
            self.read_history(at).await?;
        }
        self.published();
        let mut ticks = tokio::time::interval(KEEP_POSITION_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Left::Stopped),
                hold = self.holds.recv() => self.held(hold, false).await?,
                _ = ticks.tick() => self.keep_position().await,
                page = pages.recv() => {
                    let page = page.ok_or(Left::Stopped)?;
                    self.apply(&page).await?;
                }
            }
        }
    }

    /// The checkpoint has to be a place in the history that the feed gives.
    async fn check_history(&mut self) -> Result<(), Left> {
        let checkpoint = self.applier.checkpoint().clone();
        let identity = self.feed.identity();
        let position = checkpoint.position;
        let fault = |cause: String| Err(Left::Faulted(Fault { position, cause }));
        if checkpoint.identity != identity {
            return fault(format!(
                "the model is of log {} epoch {}, the feed of log {} epoch {}: build it anew",
                checkpoint.identity.log, checkpoint.identity.epoch, identity.log, identity.epoch
            ));
        }
        let head = *self.feed.head().borrow();
        if position > head {
            return fault(format!("the model stands beyond the log's head {head}: build it anew"));
        }
        if position == 0 {
            return Ok(());
        }
        loop {
            match self.feed.read_all(position - 1, 1).await {
                Ok(events) if events.first().map(|event| event.id) == checkpoint.event_id => {
                    return Ok(());
                }
                Ok(_) => {
                    return fault(
                        "another event stands at the model's position: build it anew".into(),
                    );
                }
                Err(error) => {
                    tracing::warn!(%error, "the feed can't be read; it is asked again");
                    self.pause(Duration::from_millis(500)).await?;
                }
            }
        }
    }

    async fn read_history(&mut self, to: Position) -> Result<(), Left> {
        let after = self.position();
        let mut pages = source::history(Arc::clone(&self.feed), self.readers.clone(), after, to);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Left::Stopped),
                hold = self.holds.recv() => self.held(hold, false).await?,
                page = pages.recv() => match page {
                    None => return Ok(()),
                    Some(Ok(page)) => self.apply(&page).await?,
                    Some(Err(error)) => {
                        tracing::warn!(%error, "history can't be read; it is asked for again");
                        self.pause(Duration::from_millis(500)).await?;
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn apply(&mut self, page: &Page) -> Result<(), Left> {
        let mut wait = Duration::from_millis(100);
        loop {
            let applied = self.applier.apply(page, page.last()).await;
            self.published();
            match applied {
                Ok(()) => return Ok(()),
                Err(ApplyError::Fault(fault)) => return Err(Left::Faulted(fault)),
                Err(error @ ApplyError::Fenced(position)) => {
                    return Err(Left::Faulted(Fault { position, cause: error.to_string() }));
                }
                Err(ApplyError::Database(error)) => {
                    let name = self.handle.projector.name();
                    tracing::warn!(%error, name, "a read model can't be written; it is tried again");
                    self.pause(wait).await?;
                    wait = (wait * 2).min(MOST_WAIT);
                }
            }
        }
    }

    /// Writes the position down. It may fail: nothing is lost, and the next rows or the next call take it along.
    async fn keep_position(&mut self) {
        if let Err(error) = self.applier.keep_position().await {
            let name = self.handle.projector.name();
            tracing::warn!(%error, name, "a read model's position can't be written; it is tried again");
        }
    }

    async fn pause(&self, time: Duration) -> Result<(), Left> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Left::Stopped),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    /// Stands still until the service ends or another generation takes its place.
    async fn stand_still(&mut self, fault: Fault) -> Left {
        let name = self.handle.projector.name();
        tracing::error!(
            name,
            position = fault.position,
            cause = fault.cause,
            "a projector faulted"
        );
        self.handle.update(|status| {
            status.state = State::Faulted;
            status.fault = Some(fault);
        });
        self.keep_position().await;
        loop {
            let hold = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Left::Stopped,
                hold = self.holds.recv() => hold,
            };
            if let Err(left) = self.held(hold, true).await {
                return left;
            }
        }
    }

    /// Stands still until it is let go, perhaps with another generation.
    async fn held(&mut self, hold: Option<Hold>, faulted: bool) -> Result<(), Left> {
        let hold = hold.ok_or(Left::Stopped)?;
        // Whoever asks compares files, so the file has to say where it stands.
        self.keep_position().await;
        let (resume, resumed) = oneshot::channel();
        let checkpoint = self.applier.checkpoint().clone();
        if hold.send(Held { checkpoint, faulted, resume }).is_err() {
            return Ok(());
        }
        let Ok(Some(other)) = resumed.await else { return Ok(()) };
        let here = self.applier.checkpoint().clone();
        let old = self.handle.replace(other.generation().clone());
        self.applier = other;
        tokio::spawn(old.discard());
        self.handle.update(|status| status.fault = None);
        if !faulted && *self.applier.checkpoint() == here {
            self.published();
            return Ok(());
        }
        Err(Left::Replaced)
    }

    fn position(&self) -> Position {
        self.applier.checkpoint().position
    }

    fn published(&self) {
        let position = self.position();
        let head = *self.feed.head().borrow();
        let seconds = self.begun.0.elapsed().as_secs_f64();
        let rate = Progress::after(seconds, self.begun.1, position, head).rate;
        let state = if position + NEAR < head { State::CatchingUp } else { State::Running };
        metrics::gauge!("docket_projection_position", "name" => self.handle.projector.name())
            .set(gauge(position));
        metrics::gauge!("docket_projection_lag", "name" => self.handle.projector.name())
            .set(gauge(head.saturating_sub(position)));
        self.handle.update(|status| {
            status.position = position;
            status.state = state;
            status.rate = rate;
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge for people; positions are far below 2^52")]
fn gauge(number: u64) -> f64 {
    number as f64
}

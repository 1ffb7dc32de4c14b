//! A live projector: catches up, takes a seat at the shared reader, and applies what comes; to what is kept beside it too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_store::Position;
use messaging::feed::Feed;
use storage::is_damaged;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::apply::{Apply, ApplyError, Fault};
use super::beside::{Beside, KeepFor};
use super::collected::Collected;
use super::handle::{Handle, Hold};
use super::hub::{Hub, Seat};
use super::status::{Progress, State};
use super::stored::Stored;
use super::{history, source};
use crate::decoded::{Page, Readers};
use crate::projectors::Projector;
use crate::storage::catalog::Role;
use crate::storage::checkpoint::Checkpoint;
use crate::storage::generation::Generation;

/// A projector this many events behind the shared reader catches up on its own before it takes a seat.
pub(crate) const NEAR: u64 = 10_000;
/// How often a position that was passed without rows is written down, and looked whether what is kept beside is over.
const KEEP_POSITION_EVERY: Duration = Duration::from_secs(1);
/// The longest wait before a failed write is tried again.
const MOST_WAIT: Duration = Duration::from_secs(5);

/// Why it does not follow any more.
pub(super) enum Left {
    /// The service ends.
    Stopped,
    /// It can't go on.
    Faulted(Fault),
    /// Another generation took its place, or its rows stand further back than it read; it begins where they stand.
    Replaced,
}

/// What every live projector is given.
#[derive(Clone)]
pub(crate) struct Surroundings<G: Stored = Generation> {
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) readers: Readers,
    pub(crate) hub: Hub,
    pub(crate) catalog: G::Catalog,
    pub(crate) keep_for: KeepFor,
    pub(crate) stop: CancellationToken,
}

/// A live projector.
pub(crate) struct Live<G: Stored = Generation> {
    pub(super) handle: Arc<Handle<G>>,
    pub(super) applier: Box<dyn Apply<G>>,
    pub(super) beside: Option<Beside<G>>,
    holds: mpsc::Receiver<Hold<G>>,
    pub(super) around: Surroundings<G>,
    begun: (Instant, Position),
}

impl<G: Stored> Live<G> {
    pub(crate) fn new(
        projector: Projector,
        applier: Box<dyn Apply<G>>,
        beside: Option<(Box<dyn Apply<G>>, Role)>,
        around: Surroundings<G>,
    ) -> Self {
        let (sender, holds) = mpsc::channel(1);
        let position = applier.checkpoint().position;
        let handle = Handle::new(projector, applier.generation().clone(), position, sender);
        let begun = (Instant::now(), position);
        let beside = beside.map(|(applier, role)| Beside::new(applier, role, around.keep_for));
        let live = Self { handle: Arc::new(handle), applier, beside, holds, around, begun };
        live.tell_kept();
        live.tell_parked();
        live
    }

    pub(crate) fn handle(&self) -> Arc<Handle<G>> {
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
        self.applier.generation().close().await;
        if let Some(beside) = &self.beside {
            beside.applier.generation().close().await;
        }
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, Left> {
        self.check_history().await?;
        while self.behind() + NEAR < self.around.hub.position() {
            self.read_history(self.around.hub.position()).await?;
        }
        let Seat { mut pages, at } = self.around.hub.join().await.ok_or(Left::Stopped)?;
        while self.behind() < at {
            self.read_history(at).await?;
        }
        self.published();
        let mut ticks = tokio::time::interval(KEEP_POSITION_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = self.around.stop.clone();
        let mut collected = Collected::new(self.handle.wanted());
        loop {
            let at = self.position();
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Left::Stopped),
                hold = self.holds.recv() => self.held(hold, false).await?,
                _ = ticks.tick() => {
                    let behind = self.behind();
                    self.keep_position().await;
                    if self.behind() < behind {
                        return Err(Left::Replaced);
                    }
                    if self.beside.as_ref().is_some_and(Beside::is_over) {
                        self.drop_beside("its time is over").await;
                    }
                }
                page = pages.recv(), if !collected.is_full() => {
                    collected.push(page.ok_or(Left::Stopped)?);
                }
                () = collected.due(at) => {
                    if let Some(page) = collected.take() {
                        self.apply(&page).await?;
                    }
                }
            }
        }
    }

    /// The checkpoint has to be a place in the history that the feed gives.
    async fn check_history(&mut self) -> Result<(), Left> {
        if let Some(checkpoint) = self.beside.as_ref().map(|one| one.applier.checkpoint().clone())
            && self.not_of_this_history(&checkpoint).await?.is_some()
        {
            self.drop_beside("it is not of this history").await;
        }
        let checkpoint = self.applier.checkpoint().clone();
        match self.not_of_this_history(&checkpoint).await? {
            Some(cause) => Err(Left::Faulted(Fault::of_model(checkpoint.position, cause))),
            None => Ok(()),
        }
    }

    async fn not_of_this_history(&self, checkpoint: &Checkpoint) -> Result<Option<String>, Left> {
        tokio::select! {
            biased;
            () = self.around.stop.cancelled() => Err(Left::Stopped),
            cause = history::foreign(&*self.around.feed, checkpoint) => Ok(cause),
        }
    }

    async fn read_history(&mut self, to: Position) -> Result<(), Left> {
        let (feed, readers) = (Arc::clone(&self.around.feed), self.around.readers.clone());
        let mut pages = source::history(feed, readers, self.behind(), to);
        let stop = self.around.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Left::Stopped),
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

    /// Applies a page to the live generation and to what is kept beside it, both at once.
    async fn apply(&mut self, page: &Page) -> Result<(), Left> {
        let mut wait = Duration::from_millis(100);
        loop {
            let beside = async {
                match &mut self.beside {
                    Some(beside) => beside.apply(page).await,
                    None => Ok(()),
                }
            };
            let (applied, beside) = tokio::join!(self.applier.apply(page, page.last()), beside);
            self.published();
            match applied {
                Ok(()) => {
                    if let Err(ApplyError::Behind(_)) = beside {
                        return Err(Left::Replaced);
                    }
                    if let Err(error) = beside {
                        self.drop_beside(&error.to_string()).await;
                    }
                    return Ok(());
                }
                Err(ApplyError::Fault(fault)) => return Err(Left::Faulted(fault)),
                Err(ApplyError::Behind(_)) => return Err(Left::Replaced),
                Err(error @ ApplyError::LeaseLost) => {
                    self.give_way(&error);
                    return Err(Left::Stopped);
                }
                Err(error @ ApplyError::Fenced(position)) => {
                    return Err(Left::Faulted(Fault::of_model(position, error.to_string())));
                }
                Err(ApplyError::Database(error)) if is_damaged(&error) => {
                    return Err(Left::Faulted(self.damaged(&error)));
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

    /// Another process writes now: all projectors of this one end.
    pub(super) fn give_way(&self, lost: &ApplyError) {
        if !self.around.stop.is_cancelled() {
            tracing::error!(error = %lost, "the projectors end");
            self.around.stop.cancel();
        }
    }

    /// Nothing written to a damaged file can be trusted, and trying again does not mend it.
    fn damaged(&self, error: &sqlx::Error) -> Fault {
        let (name, location) = (self.handle.projector.name(), self.applier.generation().place());
        let cause = format!(
            "{location} is damaged ({error}); `docket replay --projection {name}` builds it anew"
        );
        Fault::of_model(self.position(), cause)
    }

    /// Writes the positions down. It may fail: nothing is lost, and the next rows or the next call take it along. Where no event
    /// comes any more this is what finds out that another process has taken over.
    pub(super) async fn keep_position(&mut self) {
        let mut failed = Vec::new();
        let beside = self.beside.as_mut().map(|beside| &mut beside.applier);
        for applier in std::iter::once(&mut self.applier).chain(beside) {
            failed.extend(applier.keep_position().await.err());
        }
        for error in failed {
            if let ApplyError::LeaseLost = error {
                self.give_way(&error);
                continue;
            }
            let name = self.handle.projector.name();
            tracing::warn!(%error, name, "a read model's position can't be written; it is tried again");
        }
    }

    async fn pause(&self, time: Duration) -> Result<(), Left> {
        tokio::select! {
            biased;
            () = self.around.stop.cancelled() => Err(Left::Stopped),
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
                () = self.around.stop.cancelled() => return Left::Stopped,
                hold = self.holds.recv() => hold,
            };
            if let Err(left) = self.held(hold, true).await {
                return left;
            }
        }
    }

    pub(super) fn position(&self) -> Position {
        self.applier.checkpoint().position
    }

    /// Where to read on: the one further behind has to be given every event too.
    pub(super) fn behind(&self) -> Position {
        let beside = self.beside.as_ref().map_or(Position::MAX, Beside::position);
        self.position().min(beside)
    }

    pub(super) fn published(&self) {
        let position = self.position();
        let head = *self.around.feed.head().borrow();
        let seconds = self.begun.0.elapsed().as_secs_f64();
        let rate = Progress::after(seconds, self.begun.1, position, head).rate;
        let state = if position + NEAR < head { State::CatchingUp } else { State::Running };
        metrics::gauge!("docket_projection_position", "projection" => self.handle.projector.name())
            .set(gauge(position));
        metrics::gauge!("docket_projection_lag_events", "projection" => self.handle.projector.name())
            .set(gauge(head.saturating_sub(position)));
        self.handle.update(|status| {
            status.position = position;
            status.state = state;
            status.rate = rate;
        });
        self.tell_parked();
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge for people; positions are far below 2^52")]
fn gauge(number: u64) -> f64 {
    number as f64
}

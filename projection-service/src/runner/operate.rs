//! What an operator asks of one key of a live projector: to park it where the projector stands still, or to go on with it.
//!
//! **Invariant:** the projector stands still meanwhile, and what is done is done whole or not at all. A generation that is kept
//! beside the live one gets the same, or is dropped.

use std::sync::Arc;

use event_store::Position;
use messaging::feed::{Feed, FeedError};
use tokio::sync::oneshot;

use super::apply::{Apply, ApplyError, Fault};
use super::handle::{Handle, Resume};
use super::live::{Left, Live};
use super::status::Status;
use super::stored::Stored;
use crate::decoded::Decoded;
use crate::storage::parked::{MOST_EVENTS, MOST_KEYS, ParkedKey};

/// Events that are read at once.
const PAGE: usize = 512;

/// What an operator asks of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Park it: the projector stands still at its event.
    Park(ParkedKey),
    /// Apply what waits for it.
    Release(String),
}

/// Why it was not done. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperateError {
    /// The projector does not stand still there.
    #[error("{0}")]
    NotFaulted(String),
    /// What it stands still at is no matter of one key.
    #[error("it stands still at position {}, and not because of one key: {}", .0.position, .0.cause)]
    NoKey(Fault),
    /// Nothing more can be parked.
    #[error(
        "{keys} keys are parked and {events} of their events wait; at most {MOST_KEYS} keys and {MOST_EVENTS} events are kept"
    )]
    Full {
        /// Keys that are parked.
        keys: usize,
        /// Events that wait.
        events: u64,
    },
    /// The key is not parked.
    #[error("`{0}` is not parked")]
    NotParked(String),
    /// An event that waits still can't be applied.
    #[error("the event at position {} still can't be applied: {}", .0.position, .0.cause)]
    StillFaulted(Fault),
    /// The model is being built anew.
    #[error("the model is being built anew; wait for its end")]
    Rebuilding,
    /// The events can't be read.
    #[error("the events that wait can't be read")]
    Feed(#[from] FeedError),
    /// The model can't be written.
    #[error("the read model can't be written")]
    Apply(#[source] ApplyError),
    /// The projector has ended.
    #[error("the projector has ended")]
    Ended,
}

/// Whether the projector stands still at this event of one key; which, and why.
pub(crate) fn parkable(
    status: &Status,
    position: Position,
    key: Option<&str>,
) -> Result<(String, Fault), OperateError> {
    let fault = match &status.fault {
        Some(fault) if fault.position == position => fault.clone(),
        Some(Fault { position, .. }) => {
            let told = format!("the projector stands still at position {position}, at no other");
            return Err(OperateError::NotFaulted(told));
        }
        None => {
            let told = "the projector does not stand still".to_owned();
            return Err(OperateError::NotFaulted(told));
        }
    };
    if status.rebuild.is_some() {
        return Err(OperateError::Rebuilding);
    }
    let Some(found) = fault.key.clone() else { return Err(OperateError::NoKey(fault)) };
    if key.is_some_and(|key| key != found) {
        let told = format!("the event at position {position} is of `{found}`");
        return Err(OperateError::NotFaulted(told));
    }
    let (keys, events) = (status.parked.keys().len(), status.parked.events());
    if keys >= MOST_KEYS || events >= MOST_EVENTS {
        return Err(OperateError::Full { keys, events });
    }
    Ok((found, fault))
}

/// Whether the key is parked, and could go on.
pub(crate) fn releasable(status: &Status, key: &str) -> Result<(), OperateError> {
    if status.parked.get(key).is_none() {
        return Err(OperateError::NotParked(key.to_owned()));
    }
    if status.rebuild.is_some() { Err(OperateError::Rebuilding) } else { Ok(()) }
}

impl<G: Stored> Handle<G> {
    /// Has an operation carried out between two pages.
    pub(crate) async fn operate(&self, operation: Operation) -> Result<(), OperateError> {
        let held = self.hold().await.ok_or(OperateError::Ended)?;
        let (done, answer) = oneshot::channel();
        let operate = Resume::Operate(operation, done);
        held.resume.send(operate).map_err(|_| OperateError::Ended)?;
        answer.await.map_err(|_| OperateError::Ended)?
    }
}

impl<G: Stored> Live<G> {
    /// Carries it out; the answer, and how the projector goes on.
    pub(super) async fn operate(
        &mut self,
        operation: Operation,
    ) -> (Result<(), OperateError>, Result<(), Left>) {
        let status = self.handle.status().borrow().clone();
        let (answer, goes_on) = match operation {
            Operation::Park(key) => match self.park(&status, key).await {
                // It reads on from where it stands.
                Ok(()) => (Ok(()), Err(Left::Replaced)),
                Err(error) => (Err(error), Ok(())),
            },
            Operation::Release(key) => (self.release(&status, &key).await, Ok(())),
        };
        if let Err(OperateError::Apply(error @ ApplyError::LeaseLost)) = &answer {
            self.give_way(error);
            return (answer, Err(Left::Stopped));
        }
        (answer, goes_on)
    }

    async fn park(&mut self, status: &Status, key: ParkedKey) -> Result<(), OperateError> {
        parkable(status, key.position, Some(&key.key))?;
        let keys = [key];
        self.applier.park(&keys).await.map_err(OperateError::Apply)?;
        if let Some(beside) = &mut self.beside
            && let Err(error) = beside.applier.park(&keys).await
        {
            self.drop_beside(&error.to_string()).await;
        }
        let ([key], name) = (keys, self.handle.projector.name());
        tracing::warn!(name, key = key.key, position = key.position, "a key is parked");
        self.handle.update(|status| status.fault = None);
        self.tell_parked();
        Ok(())
    }

    async fn release(&mut self, status: &Status, key: &str) -> Result<(), OperateError> {
        releasable(status, key)?;
        let feed = Arc::clone(&self.around.feed);
        release(&mut *self.applier, &*feed, key).await?;
        if let Some(beside) = &mut self.beside
            && beside.applier.parked().get(key).is_some()
            && let Err(error) = release(&mut *beside.applier, &*feed, key).await
        {
            self.drop_beside(&error.to_string()).await;
        }
        let name = self.handle.projector.name();
        tracing::info!(name, key, "what waited for a parked key is applied");
        self.tell_parked();
        Ok(())
    }

    /// Tells what is parked, if that is not known.
    pub(super) fn tell_parked(&self) {
        let parked = self.applier.parked();
        if *self.handle.status().borrow().parked != *parked {
            let parked = Arc::new(parked.clone());
            self.handle.update(|status| status.parked = parked);
        }
        metrics::gauge!("docket_projection_parked_keys", "projection" => self.handle.projector.name())
            .set(u32::try_from(parked.keys().len()).unwrap_or(u32::MAX));
    }
}

/// Applies what waits for a key in one generation.
async fn release<G: Stored>(
    applier: &mut dyn Apply<G>,
    feed: &dyn Feed,
    key: &str,
) -> Result<(), OperateError> {
    let database = |error: sqlx::Error| OperateError::Apply(error.into());
    let positions = applier.generation().waiting(key).await.map_err(database)?;
    let events = events_at(feed, &positions).await?;
    applier.release(key, &events).await.map_err(|error| match error {
        ApplyError::Fault(fault) => OperateError::StillFaulted(fault),
        error => OperateError::Apply(error),
    })
}

/// The events at these positions, which rise.
async fn events_at(feed: &dyn Feed, positions: &[Position]) -> Result<Vec<Decoded>, FeedError> {
    let mut events = Vec::with_capacity(positions.len());
    let mut left = positions.iter().copied().peekable();
    while let Some(next) = left.peek().copied() {
        let page = feed.read_all(next.saturating_sub(1), PAGE).await?;
        let Some(last) = page.last() else {
            let head = *feed.head().borrow();
            return Err(FeedError::AnotherHistory { position: next, head });
        };
        while let Some(position) = left.next_if(|position| *position <= last.position) {
            let at = usize::try_from(position - next).unwrap_or(usize::MAX);
            events.extend(page.get(at).map(Decoded::from));
        }
    }
    Ok(events)
}

//! Reads that wait for a position.
//!
//! **Invariant:** a position that the log is not known to have holds a read up for a moment only, and few reads at a time: whoever makes
//! one up takes nobody's place. One that was acknowledged is waited for though it was not heard of here yet.

use std::sync::Arc;
use std::time::Duration;

use event_store::Position;
use service_kit::position::{InvalidPosition, WantedPosition};
use service_kit::problem::{Code, Problem};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::app::App;
use super::reading::unread;
use crate::runner::handle::Handle;

/// How long a read waits for `min_position`.
const MOST_WAIT: Duration = Duration::from_secs(5);
/// How long of that it waits to hear that the log has got there: that is told every second.
const HEARD_WITHIN: Duration = Duration::from_secs(2);
/// How far beyond the last position that was heard of one may be that is waited for: more than any log grows by in that time.
const FAR: Position = 100_000;
/// Reads that may wait to hear of a position at a time.
const MOST_UNHEARD: usize = 64;

/// The places of reads that wait to hear of a position. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Unheard(Arc<Semaphore>);

impl Default for Unheard {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST_UNHEARD)))
    }
}

impl App {
    /// The position that is asked for, in the history that is served.
    pub(super) fn wanted(&self, text: &str) -> Result<Position, Problem> {
        let wanted: WantedPosition = text
            .parse()
            .map_err(|error: InvalidPosition| unread("min_position", error.to_string()))?;
        let identity = self.feed.identity();
        wanted.within(&identity.log, identity.epoch)
    }

    /// Returns when the model has reached the position that is asked for.
    pub(super) async fn wait(&self, handle: &Handle, text: &str) -> Result<(), Problem> {
        let wanted = self.wanted(text)?;
        let mut status = handle.status();
        if status.borrow().position >= wanted {
            return Ok(());
        }
        let begun = Instant::now();
        if !self.is_heard_of(wanted, begun + HEARD_WITHIN).await {
            let head = *self.feed.head().borrow();
            let unheard = format!(
                "the log is not known to have position {wanted}: it was last heard of at {head}"
            );
            return Err(not_reached(handle).detail(unheard));
        }
        let _wants = handle.want(wanted);
        let reached = status.wait_for(|status| status.position >= wanted || status.fault.is_some());
        let found = match timeout_at(begun + MOST_WAIT, reached).await {
            Ok(Ok(status)) if status.position >= wanted => return Ok(()),
            Ok(Ok(status)) => status.fault.clone(),
            Ok(Err(_)) | Err(_) => None,
        };
        let Some(fault) = found else {
            let late = format!("position {wanted} was not reached within 5 seconds");
            return Err(not_reached(handle).detail(late));
        };
        let stands = format!("it stands still at position {}: {}", fault.position, fault.cause);
        Err(Problem::from(Code::ModelFaulted).detail(stands).retry_after(30))
    }

    /// Whether the log is known to have a position, or to have it before that moment.
    async fn is_heard_of(&self, wanted: Position, by: Instant) -> bool {
        let mut head = self.feed.head();
        let known = *head.borrow();
        if wanted <= known {
            return true;
        }
        if wanted - known > FAR {
            return false;
        }
        let Ok(_place) = self.unheard.0.try_acquire() else { return false };
        timeout_at(by, head.wait_for(|head| *head >= wanted)).await.is_ok_and(|head| head.is_ok())
    }
}

fn not_reached(handle: &Handle) -> Problem {
    let position = handle.status().borrow().position;
    Problem::from(Code::PositionNotReached).with("position", position).retry_after(1)
}

//! Reads that wait for a position.
//!
//! **Invariant:** a position that the log is not known to have is waited for as [`Hearing`](service_kit::hearing::Hearing) does it: for a
//! moment, and by few, of whom a part only are one client's.

use std::time::Duration;

use event_store::Position;
use service_kit::access::Caller;
use service_kit::position::{InvalidPosition, WantedPosition};
use service_kit::problem::{Code, Problem};
use tokio::time::{Instant, timeout_at};

use super::app::App;
use super::reading::unread;
use crate::runner::handle::Handle;

/// How long a read waits for `min_position`.
const MOST_WAIT: Duration = Duration::from_secs(5);

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
    pub(super) async fn wait(
        &self,
        handle: &Handle,
        text: &str,
        caller: &Caller,
    ) -> Result<(), Problem> {
        let wanted = self.wanted(text)?;
        let mut status = handle.status();
        if status.borrow().position >= wanted {
            return Ok(());
        }
        let begun = Instant::now();
        if !self.hearing.hears_of(self.feed.head(), wanted, caller.name()).await {
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
}

fn not_reached(handle: &Handle) -> Problem {
    let position = handle.status().borrow().position;
    Problem::from(Code::PositionNotReached).with("position", position).retry_after(1)
}

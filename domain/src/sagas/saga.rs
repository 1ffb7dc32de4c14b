//! One saga of an order, whichever it is: what a runner stores, feeds and asks.
//!
//! Pure: it reads no clock and sends nothing. What it wants sent it returns; sending again until the log shows the
//! effect is the runner's part. **Invariant:** an event that was folded already, or is none of its business, changes
//! nothing and asks for nothing.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{EventContext, Explanation, Outgoing, SagaAction, SagaState, SagaStatus, Timeouts};
use crate::event::Event;
use crate::text::Reason;

/// The version of the definitions that new sagas start on; a running one finishes on its own.
pub const DEFINITION: u32 = 1;

/// Why an operator's action is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SagaActionError {
    /// Only a saga that needs attention can be retried or resolved.
    #[error("the saga does not need attention: its state is {state:?}")]
    NotNeeded {
        /// Where it stands.
        state: SagaState,
    },
}

/// One saga: its status columns and its own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saga {
    /// What the runner stores beside it and searches.
    pub status: SagaStatus,
    /// The version of the definition that it started on.
    pub definition: u32,
}

impl Saga {
    /// The saga that this event starts, if it starts one, with what it wants sent. `siblings` are the order's other
    /// sagas, ended ones too: cancellations and returns learn lines, prices and parcels from the order's own.
    pub fn start(
        _event: &Event,
        _context: &EventContext<'_>,
        _timeouts: &Timeouts,
        _siblings: &[Self],
    ) -> Option<(Self, Vec<Outgoing>)> {
        None
    }

    /// Folds an event of its order. Unknown or late events change nothing.
    pub fn on_event(
        &mut self,
        _event: &Event,
        _context: &EventContext<'_>,
        _timeouts: &Timeouts,
    ) -> Vec<Outgoing> {
        vec![]
    }

    /// To be called when `status.wake_at` has passed; earlier does no harm.
    pub fn on_time(&mut self, _now: DateTime<Utc>, _timeouts: &Timeouts) -> Vec<Outgoing> {
        vec![]
    }

    /// An operator wants the failed step's next attempt made now.
    pub fn retry(
        &mut self,
        _now: DateTime<Utc>,
        _timeouts: &Timeouts,
    ) -> Result<Vec<Outgoing>, SagaActionError> {
        Err(SagaActionError::NotNeeded { state: self.status.state })
    }

    /// An operator settled the matter by hand: the saga ends.
    pub fn resolve(&mut self, _reason: Reason, _now: DateTime<Utc>) -> Result<(), SagaActionError> {
        Err(SagaActionError::NotNeeded { state: self.status.state })
    }

    /// Shifts every deadline by a pause of the platform: that clock stands still while it is down.
    pub fn shift(&mut self, _by: Duration) {}

    /// Everything that a person needs to know of it.
    pub fn explain(&self) -> Explanation {
        Explanation {
            waiting_for: String::new(),
            since: self.status.since,
            deadline: self.status.wake_at,
            attempts: 0,
            last_error: None,
            causing_position: 0,
            actions: Vec::<SagaAction>::new(),
        }
    }
}

//! What a person is told about a saga: what it waits for, since when, and what may be done.

use super::process::Standing;
use super::saga::{Saga, SagaActionError};
use super::track::Phase;
use super::{Explanation, SagaAction, SagaState};

impl Saga {
    /// Everything that a person needs to know of it.
    pub fn explain(&self) -> Explanation {
        let process = self.body.process();
        let standings = process.standings();
        let (waiting_for, attempts, last_error) = match foremost(&standings) {
            _ if self.status.state.is_ended() => ("nothing: it has ended".to_owned(), 0, None),
            None => ("nothing".to_owned(), 0, None),
            Some(at) => (waiting_for(at), at.track.attempts(), at.track.error.clone()),
        };
        let actions = match self.status.state {
            SagaState::NeedsAttention if standings.iter().any(|at| at.resolvable) => {
                vec![SagaAction::Retry, SagaAction::Resolve]
            }
            SagaState::NeedsAttention => vec![SagaAction::Retry],
            SagaState::Running
            | SagaState::Waiting
            | SagaState::Completed
            | SagaState::Compensated => vec![],
        };
        Explanation {
            waiting_for,
            since: self.status.since,
            deadline: self.status.wake_at,
            attempts,
            last_error,
            causing_position: self.cause,
            actions,
        }
    }
}

/// The table that matters most to a person: one in trouble, else one under way, else the main one, which is the last.
pub(super) fn foremost<'a, 't>(standings: &'a [Standing<'t>]) -> Option<&'a Standing<'t>> {
    let trouble = standings.iter().find(|at| at.track.needs_attention());
    let busy = || standings.iter().find(|at| at.track.is_running());
    trouble.or_else(busy).or_else(|| standings.last())
}

/// Why nothing of what failed can be settled by hand, and what to do instead.
pub(super) fn not_by_hand(standings: &[Standing<'_>]) -> SagaActionError {
    let failed = standings.iter().find(|at| at.track.needs_attention());
    let instead = match failed.map(|at| at.track.phase) {
        Some(Phase::Unknown { .. }) => {
            "the provider has not told what became of it, and is asked until it tells"
        }
        Some(
            Phase::Due
            | Phase::Asked
            | Phase::Backoff { .. }
            | Phase::Refused
            | Phase::Stuck
            | Phase::Ended,
        )
        | None => {
            "retry it, replay its command if that is a dead letter, or cancel what has not left the house"
        }
    };
    let step = failed.map_or_else(String::new, |at| at.step.to_owned());
    SagaActionError::NotByHand { step, instead }
}

fn waiting_for(at: &Standing<'_>) -> String {
    let step = at.step;
    match (at.track.phase, &at.waits_for) {
        (_, Some(what)) => what.clone().into_owned(),
        (Phase::Asked, None) => format!("the answer to {step}"),
        (Phase::Unknown { .. }, None) => format!("the provider to tell what became of {step}"),
        (Phase::Backoff { .. }, None) => format!("the next attempt of {step}"),
        (Phase::Stuck, None) if at.track.failures == 0 => format!("a person, at {step}"),
        (Phase::Stuck, None) => format!("a person: {step} failed"),
        (Phase::Due | Phase::Refused | Phase::Ended, None) => format!("the order, at {step}"),
    }
}

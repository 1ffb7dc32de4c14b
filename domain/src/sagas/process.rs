//! What the three sagas have in common, and what a runner's questions come to for each of them.

use std::borrow::Cow;

use chrono::{DateTime, Duration, Utc};

use super::definition::{Ask, Did, Row};
use super::track::{Phase, Track};
use super::{EventContext, Outgoing, SagaId, SagaState, Timeouts};
use crate::event::Event;
use crate::payments::SettlePaymentByHand;

/// What the step is called where a table has no further one.
pub(super) const DONE: &str = "done";

/// Where a saga stands in one of its tables, for people.
pub(super) struct Standing<'t> {
    pub(super) step: &'static str,
    /// What it waits for, when its time has not come.
    pub(super) waits_for: Option<Cow<'static, str>>,
    /// It failed, and a person may settle by hand what it is about.
    pub(super) resolvable: bool,
    pub(super) track: &'t Track,
}

impl<'t> Standing<'t> {
    pub(super) fn of<D>(
        track: &'t Track,
        rows: &[Row<D>],
        data: &D,
        did: impl Fn(usize) -> Did,
    ) -> Self {
        let Some(row) = rows.get(track.at) else {
            return Self { step: DONE, waits_for: None, resolvable: false, track };
        };
        let ask = || (row.ask)(data, row.undoes.map_or(Did::Never, did));
        let (waits_for, resolvable) = match track.phase {
            Phase::Due => match ask() {
                Ask::Wait(what) => (Some(what), false),
                Ask::Nothing | Ask::Send(_) => (None, false),
            },
            Phase::Stuck | Phase::Backoff { .. } if track.has_failed() => (
                None,
                matches!(ask(), Ask::Send(command) if SettlePaymentByHand::can_replace(&command)),
            ),
            Phase::Asked
            | Phase::Unknown { .. }
            | Phase::Backoff { .. }
            | Phase::Refused
            | Phase::Stuck
            | Phase::Ended => (None, false),
        };
        Self { step: row.name, waits_for, resolvable, track }
    }
}

/// One of the three sagas.
pub(super) trait Process {
    /// Takes in what happened.
    fn fold(&mut self, id: &SagaId, event: &Event, context: &EventContext<'_>, timeouts: &Timeouts);
    /// What is due now; asked for once.
    fn advance(&mut self, id: &SagaId, now: DateTime<Utc>) -> Vec<Outgoing>;
    /// Its own deadlines, beside those of its tracks.
    fn on_time(&mut self, now: DateTime<Utc>, timeouts: &Timeouts);
    /// Where it stands, in every table it is in.
    fn standings(&self) -> Vec<Standing<'_>>;
    /// The tracks that time and operators move, in the order of [`Self::standings`].
    fn tracks(&mut self) -> Vec<&mut Track>;
    /// Its own next deadline.
    fn deadline(&self) -> Option<DateTime<Utc>>;
    /// When it wants to be woken although it only waits.
    fn reminder(&self, _timeouts: &Timeouts) -> Option<DateTime<Utc>> {
        None
    }
    /// When time is what happens to it next.
    fn next_wake(&self, timeouts: &Timeouts) -> Option<DateTime<Utc>> {
        let standings = self.standings();
        let ends = standings.iter().filter_map(|at| at.track.wake_at(timeouts));
        ends.chain(self.deadline()).chain(self.reminder(timeouts)).min()
    }
    /// How it ended, if it did.
    fn over(&self) -> Option<SagaState>;
    /// Shifts its own deadlines.
    fn shift(&mut self, by: Duration);
}

//! How far a saga is in one table of steps: which step, which attempt, asked or waiting.
//!
//! Level-triggered: a step is asked for when the data says that it is time, whichever event brought that about.
//! **Invariant:** a step's attempt is asked for once; only an answer, the clock or an operator moves it on. No attempt is
//! asked for that the log has an answer to, also where the clock and the operators were forgotten.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::definition::{Answer, Ask, Did, Heard, Row};
use super::desk::Desk;
use super::{CommandEvent, EventContext, Outgoing};
use crate::event::Event;
use crate::payments::{ByHand, SettlePaymentByHand};

/// What a person is told where the provider did something else than it was asked.
const DIFFERS: &str = "amount_differs";

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// To be asked for as soon as the data allows.
    Due,
    /// Asked for; the answer is still out.
    Asked,
    /// The participant does not know yet whether it happened.
    Unknown {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It failed and is asked for again then.
    Backoff {
        /// When.
        until: DateTime<Utc>,
    },
    /// It was refused, and the saga knows what to do instead.
    Refused,
    /// It can't go on without a person.
    Stuck,
    /// The whole table is done.
    Ended,
}

/// How far a saga is in one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Track {
    pub(super) at: usize,
    pub(super) phase: Phase,
    pub(super) attempt: u32,
    #[serde(default)]
    pub(super) failures: u32,
    #[serde(default)]
    pub(super) alarmed: bool,
    /// Since when the answer is out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asked_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// The next attempt is not made: a person settled by hand what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by_hand: Option<ByHand>,
}

impl Track {
    pub(super) fn new() -> Self {
        Self {
            at: 0,
            phase: Phase::Due,
            attempt: 1,
            failures: 0,
            alarmed: false,
            asked_at: None,
            error: None,
            by_hand: None,
        }
    }

    /// What became of the step at this index.
    pub(super) fn did(&self, index: usize) -> Did {
        match (self.at.cmp(&index), self.phase) {
            (std::cmp::Ordering::Less, _) => Did::Never,
            (std::cmp::Ordering::Equal, Phase::Due) if self.attempt == 1 => Did::Never,
            (std::cmp::Ordering::Equal, Phase::Asked | Phase::Unknown { .. }) => Did::Asked,
            (std::cmp::Ordering::Equal, Phase::Refused) => Did::Refused,
            // A parked command may have had its effect; the undo finds out.
            (
                std::cmp::Ordering::Equal,
                Phase::Due | Phase::Backoff { .. } | Phase::Stuck | Phase::Ended,
            )
            | (std::cmp::Ordering::Greater, _) => Did::Done,
        }
    }

    /// Passes over what is not needed and asks for the first step whose time it is.
    pub(super) fn advance<D>(
        &mut self,
        rows: &[Row<D>],
        data: &D,
        did: impl Fn(usize) -> Did,
        desk: &Desk<'_>,
    ) -> Option<Outgoing> {
        while self.phase == Phase::Due {
            let Some(row) = rows.get(self.at) else {
                self.phase = Phase::Ended;
                break;
            };
            match (row.ask)(data, row.undoes.map_or(Did::Never, &did)) {
                Ask::Nothing => self.next(),
                Ask::Wait(_) => break,
                Ask::Send(command) => {
                    self.phase = Phase::Asked;
                    self.asked_at = Some(desk.now);
                    let by_hand = self.by_hand.take();
                    let settled = by_hand.and_then(|how| {
                        Some((SettlePaymentByHand::instead_of(&command, &how)?, how.occurred_at))
                    });
                    let (command, occurred_at) = match settled {
                        Some((settled, occurred_at)) => (settled.into(), occurred_at),
                        None => (*command, desk.occurred_at),
                    };
                    return Some(Outgoing {
                        saga_id: desk.saga_id.clone(),
                        step: desk.step(row.name),
                        attempt: self.attempt,
                        command,
                        occurred_at,
                    });
                }
            }
        }
        None
    }

    /// What an event says about the step that is asked for. Being done is taken in; a refusal is for the saga to judge.
    pub(super) fn hear<D>(
        &mut self,
        rows: &[Row<D>],
        data: &D,
        event: &Event,
        context: &EventContext<'_>,
        desk: &Desk<'_>,
    ) -> Option<Answer> {
        let row = rows.get(self.at)?;
        self.learn(desk.attempt(row.name, context.command_id), context.recorded_at);
        if matches!(self.phase, Phase::Due | Phase::Refused | Phase::Ended) {
            return None;
        }
        let command_id = desk.command_id(row.name, self.attempt);
        let answer = if let Event::Command(end) = event {
            (end.command_id() == command_id).then(|| self.ended_without_effect(end))??
        } else {
            let caused_by = context.command_id;
            let rest = caused_by.strip_prefix(command_id.as_str());
            let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            (row.answer)(data, &Heard { event, is_ours })?
        };
        let is_open = matches!(self.phase, Phase::Asked | Phase::Unknown { .. });
        if self.asked_at.take().is_some() {
            self.alarmed = false;
        }
        match &answer {
            Answer::Done => self.next(),
            Answer::Again => {
                let (at, attempt) = (self.at, self.attempt + 1);
                *self = Self { at, attempt, ..Self::new() };
            }
            Answer::Unknown if self.phase == Phase::Asked => {
                self.phase = Phase::Unknown { since: context.recorded_at };
            }
            Answer::Differs if is_open => {
                self.phase = Phase::Unknown { since: context.recorded_at };
                self.alarmed = true;
                self.error = Some(DIFFERS.to_owned());
            }
            Answer::Refused { code, .. } if is_open => self.error = Some(code.clone()),
            Answer::Unknown | Answer::Differs | Answer::Refused { .. } => return None,
        }
        Some(answer)
    }

    /// Takes over an attempt that the log knows of and this does not: it was asked for at a time or by an operator, and a
    /// restore of the sagas alone has forgotten that. Asked for again, its answer would not come a second time.
    fn learn(&mut self, attempt: Option<u32>, now: DateTime<Utc>) {
        let Some(attempt) = attempt else { return };
        let is_news = match self.phase {
            Phase::Due => attempt >= self.attempt,
            Phase::Asked | Phase::Unknown { .. } | Phase::Backoff { .. } | Phase::Stuck => {
                attempt > self.attempt
            }
            Phase::Refused | Phase::Ended => false,
        };
        if is_news {
            (self.attempt, self.phase) = (attempt, Phase::Asked);
            self.asked_at = Some(now);
            self.failures = self.failures.max(attempt - 1);
        }
    }

    /// What the end of the command means: without need is done, parked waits for a person.
    fn ended_without_effect(&mut self, end: &CommandEvent) -> Option<Answer> {
        match end {
            CommandEvent::CommandUnneeded(_) => Some(Answer::Done),
            CommandEvent::CommandRefused(end) => {
                // What a person settled by hand is not asked of the provider again, unless a person says so.
                let retriable = end.command != "SettlePaymentByHand";
                Some(Answer::Refused { code: end.code.as_str().to_owned(), retriable })
            }
            CommandEvent::CommandParked(end) => {
                self.phase = Phase::Stuck;
                self.asked_at = None;
                self.error = Some(end.cause.as_str().to_owned());
                None
            }
        }
    }

    fn next(&mut self) {
        *self = Self { at: self.at + 1, ..Self::new() };
    }

    /// True when a person was called, and nothing of it is under way.
    pub(super) fn has_failed(&self) -> bool {
        self.needs_attention() && matches!(self.phase, Phase::Stuck | Phase::Backoff { .. })
    }

    /// True when it is to be asked for and no person has settled it.
    pub(super) fn is_due(&self) -> bool {
        self.phase == Phase::Due && self.by_hand.is_none()
    }

    /// How often the step was asked for: not at all while it waits for its time.
    pub(super) fn attempts(&self) -> u32 {
        self.attempt - u32::from(self.phase == Phase::Due)
    }

    pub(super) fn needs_attention(&self) -> bool {
        self.phase == Phase::Stuck || self.alarmed
    }

    /// True when something is under way or a time runs.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Asked | Phase::Unknown { .. } | Phase::Backoff { .. })
    }
}

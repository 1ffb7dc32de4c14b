//! A saga as it is stored, and what it wants done: the seam between the pure deciders and the orchestrator.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::ids::{OrderId, SagaId};

/// Which saga it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SagaKind {
    /// From placed to completed or undone.
    Order,
    /// Cancels lines after the pivot.
    Cancellation,
    /// Takes lines back.
    Return,
}

/// Where a saga stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SagaState {
    /// Something is due now, or a deadline runs.
    Running,
    /// For the world outside: a parcel, a person.
    Waiting,
    /// Everything is done.
    Completed,
    /// Everything is undone.
    Compensated,
    /// A person has to look at it.
    NeedsAttention,
}

impl std::fmt::Display for SagaState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::NeedsAttention => "needs_attention",
        })
    }
}

impl SagaState {
    /// True when nothing more will happen by itself, ever.
    pub fn is_ended(self) -> bool {
        match self {
            Self::Completed | Self::Compensated => true,
            Self::Running | Self::Waiting | Self::NeedsAttention => false,
        }
    }
}

/// How long things may take. Configurable, so that tests take seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// From placed to confirmed; then the order is rejected.
    pub order_deadline: Duration,
    /// A payment outcome stays unknown this long before a person is called.
    pub unknown_alarm: Duration,
    /// An answer is out this long before a person is called; it is waited for all the same.
    pub answer_alarm: Duration,
    /// The first wait before a failed attempt is made again; doubles each time.
    pub retry_first: Duration,
    /// The longest wait between two attempts.
    pub retry_most: Duration,
    /// Attempts of a retriable step before a person is called; it goes on all the same.
    pub attempts_before_alarm: u32,
    /// Before an authorization expires, this long, it is renewed.
    pub renew_before_expiry: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            order_deadline: Duration::minutes(15),
            unknown_alarm: Duration::minutes(5),
            answer_alarm: Duration::hours(1),
            retry_first: Duration::milliseconds(500),
            retry_most: Duration::minutes(1),
            attempts_before_alarm: 10,
            renew_before_expiry: Duration::hours(24),
        }
    }
}

/// A command that a saga wants sent. Its id is `{saga}/{step}/{attempt}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The saga that sends it.
    pub saga_id: SagaId,
    /// The step; one of a saga's steps, with the parcel's id where a step is done per parcel.
    pub step: String,
    /// Counted from 1.
    pub attempt: u32,
    /// What is asked.
    pub command: Command,
    /// The order's business time, handed on, so that the effects bear it.
    pub occurred_at: DateTime<Utc>,
}

impl Outgoing {
    /// The command id: the idempotency key of this step's attempt.
    pub fn command_id(&self) -> String {
        format!("{}/{}/{}", self.saga_id, self.step, self.attempt)
    }
}

/// What the log tells about an event beside its payload.
#[derive(Debug, Clone)]
pub struct EventContext<'e> {
    /// Its position in the log.
    pub position: u64,
    /// When it was appended: the saga's clock when it folds.
    pub recorded_at: DateTime<Utc>,
    /// Its business time.
    pub occurred_at: DateTime<Utc>,
    /// The command that caused it.
    pub command_id: &'e str,
}

/// Everything that a person needs to know of a saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Explanation {
    /// What it waits for, in words.
    pub waiting_for: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it acts by itself next.
    pub deadline: Option<DateTime<Utc>>,
    /// How often the step it is at was asked for: 0 while it waits for its time.
    pub attempts: u32,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// The position of the event that brought it where it is.
    pub causing_position: u64,
    /// What an operator may do now.
    pub actions: Vec<SagaAction>,
}

/// What an operator may do with a saga that needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SagaAction {
    /// Make the failed step's next attempt now.
    Retry,
    /// Say that a person settled by hand what the provider did not do; the saga goes on.
    Resolve,
}

/// The order that a saga belongs to and where it stands: the columns that the orchestrator stores and searches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaStatus {
    /// The saga.
    pub id: SagaId,
    /// Which one it is.
    pub kind: SagaKind,
    /// Its order.
    pub order_id: OrderId,
    /// Where it stands.
    pub state: SagaState,
    /// The step it is at, such as `authorize_payment`.
    pub step: String,
    /// Since when it is there.
    pub since: DateTime<Utc>,
    /// When it wants to be woken though nothing happened.
    pub wake_at: Option<DateTime<Utc>>,
}

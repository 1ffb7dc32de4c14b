//! What the API answers. The words are those of the domain; the types are the API's own, so that neither moves the other.

use chrono::{DateTime, Utc};
use domain::sagas::{SagaAction, SagaKind, SagaState, SagaStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::storage::{ListedSaga, Sending};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident = $domain:ident { $($(#[$word_doc:meta])* $word:ident),+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[schema(as = $domain)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($(#[$word_doc])* $word),+ }

        impl From<$domain> for $name {
            fn from(value: $domain) -> Self {
                match value { $($domain::$word => Self::$word),+ }
            }
        }

        impl From<$name> for $domain {
            fn from(value: $name) -> Self {
                match value { $($name::$word => Self::$word),+ }
            }
        }
    };
}

words! {
    /// Which saga it is.
    Kind = SagaKind {
        /// From placed to completed or undone.
        Order,
        /// Cancels lines after the order was confirmed.
        Cancellation,
        /// Takes lines back.
        Return
    }
}

words! {
    /// Where a saga stands.
    State = SagaState {
        /// Something is due now, or a deadline runs.
        Running,
        /// For the world outside: a parcel, a person.
        Waiting,
        /// Everything is done.
        Completed,
        /// Everything is undone.
        Compensated,
        /// A person has to look at it.
        NeedsAttention
    }
}

words! {
    /// What an operator may do.
    ActionWord = SagaAction {
        /// Make the failed step's next attempt now.
        Retry,
        /// Say how what failed was settled by hand; the saga goes on.
        Resolve
    }
}

/// A saga.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SagaItem {
    /// Its id.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// Its order.
    pub(crate) order_id: String,
    pub(crate) state: State,
    /// The step it is at; of one that waits, the step that follows when what it waits for has come.
    pub(crate) step: String,
    /// Since when it is there.
    pub(crate) since: DateTime<Utc>,
}

impl SagaItem {
    pub(crate) fn of_status(status: &SagaStatus) -> Self {
        Self {
            id: status.id.to_string(),
            kind: status.kind.into(),
            order_id: status.order_id.to_string(),
            state: status.state.into(),
            step: status.step.clone(),
            since: status.since,
        }
    }
}

impl From<ListedSaga> for SagaItem {
    fn from(saga: ListedSaga) -> Self {
        Self {
            id: saga.id,
            kind: saga.kind.into(),
            order_id: saga.order_id,
            state: saga.state.into(),
            step: saga.step,
            since: saga.since,
        }
    }
}

/// What an operator's action made of a saga.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ActedSaga {
    #[serde(flatten)]
    pub(crate) saga: SagaItem,
    /// Times the saga was written.
    pub(crate) version: u64,
    /// The position of the log that the action was based on.
    pub(crate) position: u64,
}

/// Everything that a person needs to know of a saga.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ExplainedSaga {
    #[serde(flatten)]
    pub(crate) saga: SagaItem,
    /// What it waits for, in words, such as `parcel first-s1 to be shipped`; `since` says since when.
    pub(crate) waiting_for: String,
    /// When it acts by itself next.
    pub(crate) deadline: Option<DateTime<Utc>>,
    /// How often the step it is at was asked for: 0 while it waits for its time.
    pub(crate) attempts: u32,
    /// What went wrong last.
    pub(crate) last_error: Option<String>,
    /// The position of the event that brought it where it is.
    pub(crate) causing_position: u64,
    /// What an operator may do now.
    pub(crate) actions: Vec<ActionWord>,
    /// How a person settled by hand what failed last, if one did.
    pub(crate) resolved: Option<String>,
    /// The version of the definition that it runs on.
    pub(crate) definition: u32,
    /// Commands that were sent and whose effect the log has not shown yet.
    pub(crate) commands: Vec<CommandOnItsWay>,
}

/// A command that was sent and whose effect the log has not shown yet.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct CommandOnItsWay {
    /// Its id: saga, step and attempt.
    pub(crate) command_id: String,
    /// When the saga asked for it.
    pub(crate) asked_at: DateTime<Utc>,
    /// Times it was handed to its participant.
    pub(crate) sends: u32,
}

impl From<Sending> for CommandOnItsWay {
    fn from(sending: Sending) -> Self {
        Self { command_id: sending.command_id, asked_at: sending.created_at, sends: sending.sends }
    }
}

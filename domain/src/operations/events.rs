//! What operators did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OperatorAction;
use crate::event::context_events;
use crate::ids::{OrderId, SubjectId};
use crate::stream::Stream;
use crate::text::{Label, Reason};

/// An operator asked for something, and it is about to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OperatorActed {
    /// What is acted on: `projection/{name}`, `saga/{id}`, `dead-letter/{id}`, `webhook/{id}`, `mail/{id}` or
    /// `notices/{customer}`.
    pub subject: SubjectId,
    /// What is done.
    pub action: OperatorAction,
    /// Of which key, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Label>,
    /// At which position of the log, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Who, as far as whoever asked has said so.
    pub actor: Label,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

context_events! {
    /// The events about the platform's operation.
    OperatorEvent { OperatorActed = 1 }
}

impl OperatorEvent {
    pub(crate) fn stream(&self) -> Stream {
        match self {
            Self::OperatorActed(event) => Stream::Operations(event.subject.clone()),
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "every context answers this, so that `Event` can ask it"
    )]
    pub(crate) fn order_id(&self) -> Option<&OrderId> {
        None
    }
}

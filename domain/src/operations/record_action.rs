//! An operator's action is about to be carried out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OperatorActed, OperatorAction};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::SubjectId;
use crate::stream::Stream;
use crate::text::{Label, Reason};

/// An operator's action is about to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAction {
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
    /// Who.
    pub actor: Label,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for RecordAction {
    fn target(&self) -> Stream {
        Stream::Operations(self.subject.clone())
    }

    /// Always an event: whether it may be done, and that a repeat is recorded once, is told elsewhere.
    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { subject, action, key, position, actor, reason } = self.clone();
        Ok(vec![OperatorActed { subject, action, key, position, actor, reason }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::given_nothing;

    #[test]
    fn what_an_operator_does_is_recorded_as_it_was_asked_for() {
        let subject = SubjectId::of_projection("orders");
        let (actor, reason) = (Label::parse("ada").unwrap(), Reason::parse("one order").unwrap());
        let key = Label::parse("o1").unwrap();
        let (action, position) = (OperatorAction::ParkKey, Some(812));
        given_nothing()
            .when(RecordAction {
                subject: subject.clone(),
                action,
                key: Some(key.clone()),
                position,
                actor: actor.clone(),
                reason: Some(reason.clone()),
            })
            .then([OperatorActed {
                subject,
                action,
                key: Some(key),
                position,
                actor,
                reason: Some(reason),
            }]);
    }
}

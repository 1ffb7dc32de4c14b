//! An operator's action on a saga, recorded in the log before it is carried out.

use domain::command::Command;
use domain::ids::{SagaId, SubjectId};
use domain::operations::RecordAction;
use domain::text::Label;
use messaging::commands::CommandMessage;
use messaging::record::RecordError;
use service_kit::idempotency;
use service_kit::problem::{Code, Problem, internal};

use super::api::Desk;
use crate::runner::Action;

impl Desk {
    /// Says in the log that this is about to be done; again under the same key is harmless.
    pub(super) async fn record(
        &self,
        saga_id: &SagaId,
        action: &Action,
        actor: &str,
        key: &str,
    ) -> Result<(), Problem> {
        let record = Command::from(RecordAction {
            subject: SubjectId::of_saga(saga_id),
            action: action.recorded_as(),
            key: None,
            position: None,
            actor: Label::parse(actor).map_err(|error| internal(&error))?,
            reason: Some(action.reason().clone()),
        });
        let body = serde_json::to_string(&record).map_err(|error| internal(&error))?;
        let id = format!("operations/sagas/{key}");
        let message = CommandMessage::of_its_own(id, body, (self.clock)());
        self.recorder.record(message).await.map_err(|error| match error {
            RecordError::IdReused => idempotency::reused(key, None),
            RecordError::Refused(_) => internal(&error),
            RecordError::Unavailable(_) => {
                tracing::warn!(%error, "an operator's action can't be recorded, and is not carried out");
                let told = "the action can't be recorded in the log now, and was not carried out";
                Problem::from(Code::Unavailable).detail(told).retry_after(1)
            }
        })
    }
}

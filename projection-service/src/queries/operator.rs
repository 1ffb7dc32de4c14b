//! What the requests of operators have in common: the key, a repeat, the record in the log, the answer.
//!
//! **Invariant:** a request is carried out once, and only after it is recorded in the log. What it has to be refused for, as far as
//! that is known before, is not recorded.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::command::Command;
use domain::given::Given;
use domain::ids::SubjectId;
use domain::operations::{OperatorAction, RecordAction};
use domain::text::{Label, Reason};
use event_store::Position;
use messaging::commands::CommandMessage;
use messaging::record::RecordError;
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::described::LongText;
use service_kit::idempotency;
use service_kit::operator;
use service_kit::problem::{Code, Problem, internal};
use utoipa::ToSchema;

use super::answer::{Answer, failed, read};
use super::app::App;
use super::projections::{describe, find};
use crate::runner::apply::ApplyError;
use crate::runner::decide::DecisionError;
use crate::runner::handle::Handle;
use crate::runner::operate::OperateError;
use crate::runner::rebuild::RebuildError;
use crate::runner::status::Status;
use crate::storage::catalog::Asked;

/// Why, for those who look later.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the report was off by one order" }))]
pub struct Why {
    /// Why, in a person's words; no personal data: it is kept when a person is erased. It stands in the event.
    // Not said in a request of before that is repeated: that has its answer.
    #[serde(default)]
    #[schema(value_type = LongText, required)]
    pub(super) reason: Option<Given<Reason>>,
}

impl Why {
    pub(super) fn reason(&self) -> Option<Reason> {
        self.reason.as_ref().map(Given::value)
    }
}

/// What is asked for about a projection.
#[derive(Debug, Clone)]
pub(super) struct Act<'a> {
    /// The projection.
    pub(super) name: &'a str,
    /// The last part of the path.
    pub(super) verb: &'static str,
    pub(super) action: OperatorAction,
    pub(super) key: Option<&'a str>,
    pub(super) position: Option<Position>,
    /// Why; without it only what was done before is answered.
    pub(super) reason: Option<Reason>,
    /// Of the answer.
    pub(super) status: StatusCode,
}

impl Act<'_> {
    /// What a repeat has to equal.
    fn request(&self) -> String {
        let mut text = format!("{} {}", self.verb, self.name);
        if let Some(key) = self.key {
            text = format!("{text} {key}");
        }
        if let Some(position) = self.position {
            text = format!("{text} @{position}");
        }
        text
    }
}

impl From<RebuildError> for Problem {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::Running(_) => Code::RebuildRunning.into(),
            RebuildError::Catalog(error) => failed(&error),
        }
    }
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::NotKept => Code::NoGenerationKept.into(),
            DecisionError::Ended => Self::from(Code::Unavailable).retry_after(1),
            DecisionError::Catalog(error) => failed(&error),
        }
    }
}

impl From<OperateError> for Problem {
    fn from(error: OperateError) -> Self {
        let told = |code: Code| Self::from(code).detail(error.to_string());
        match &error {
            OperateError::NotFaulted(_) | OperateError::NoKey(_) => told(Code::NotParkable),
            OperateError::Full { .. } => told(Code::ParkingFull),
            OperateError::NotParked(_) => told(Code::KeyNotParked),
            OperateError::StillFaulted(fault) => {
                told(Code::KeyStillFaulted).with("position", fault.position)
            }
            OperateError::Rebuilding => told(Code::RebuildRunning),
            OperateError::Apply(ApplyError::Database(error)) => failed(error),
            OperateError::Feed(_) | OperateError::Apply(_) | OperateError::Ended => {
                tracing::warn!(%error, "an operator's request could not be carried out");
                Self::from(Code::Unavailable).retry_after(1)
            }
        }
    }
}

impl App {
    /// Carries out what was asked for about a projection, once for its key, and answers how the projection is now.
    pub(super) async fn carry_out<E: Into<Problem>>(
        &self,
        (caller, headers): (&Caller, &HeaderMap),
        asked: Act<'_>,
        may: impl FnOnce(&Status) -> Result<(), E>,
        act: impl AsyncFnOnce(&Arc<Handle>, Asked<'_>) -> Result<(), E>,
    ) -> Result<Response, Problem> {
        let (key, actor) = (caller.key(headers)?, caller.actor(headers)?);
        let (key, actor) = (&*key, &*actor);
        let handle = find(self, asked.name)?;
        let request = asked.request();
        let _alone = self.deciding.lock().await;
        let known = read(self.rebuilder.catalog.asked(key).await)?;
        let repeated = known.is_some();
        match known {
            Some(known) if known != request => {
                return Err(idempotency::reused(key, Some(&format!("for `{known}`"))));
            }
            Some(_) => {}
            None => {
                let reason = operator::why(asked.reason.clone())?;
                let status = handle.status().borrow().clone();
                may(&status).map_err(Into::into)?;
                self.record(key, actor, &asked, reason).await?;
                act(handle, Asked { key, request: &request }).await.map_err(Into::into)?;
            }
        }
        let (head, seen) = self.seen_at_head();
        let mut response = (asked.status, Answer(seen, describe(handle, head))).into_response();
        if repeated {
            idempotency::mark_replayed(response.headers_mut());
        }
        Ok(response)
    }

    /// Says in the log that this is about to be done.
    async fn record(
        &self,
        key: &str,
        actor: &str,
        asked: &Act<'_>,
        reason: Reason,
    ) -> Result<(), Problem> {
        let label = |text: &str| Label::parse(text).map_err(|error| internal(&error));
        let record = Command::from(RecordAction {
            subject: SubjectId::of_projection(asked.name),
            action: asked.action,
            key: asked.key.map(label).transpose()?,
            position: asked.position,
            actor: label(actor)?,
            reason: Some(reason),
        });
        let body = serde_json::to_string(&record).map_err(|error| internal(&error))?;
        let id = format!("operations/projections/{key}");
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

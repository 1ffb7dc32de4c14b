//! What retry and resolve have in common: the key, the way to the runner, the answer.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::SecondsFormat;
use domain::ids::SagaId;
use domain::sagas::{SagaActionError, SagaState};
use service_kit::access::Caller;
use service_kit::business_time::BusinessTime;
use service_kit::problem::{self, Code, Problem};
use service_kit::{idempotency, position};
use tokio::sync::oneshot;

use super::answers::ActedSaga;
use super::api::{Api, failed, not_found};
use crate::runner::{Action, ActionError, ActionRequest};
use crate::storage;

impl Api {
    /// Has an action carried out once, however often the request comes.
    pub(super) async fn act(
        &self,
        (caller, headers): (&Caller, &HeaderMap),
        id: &str,
        action: Action,
        request: String,
    ) -> Result<Response, Problem> {
        let (key, actor) = (caller.key(headers)?, caller.actor(headers)?);
        let (key, actor) = (&*key, &*actor);
        let found = storage::find_saga(&mut self.reader().await?, id).await.map_err(failed)?;
        let (_, saga) = found.ok_or_else(|| not_found(&id))?;
        let saga_id = SagaId::parse(id).map_err(|_| not_found(&id))?;
        // Else there is nothing to do: it is a repeat, or it is refused.
        if saga.status.state == SagaState::NeedsAttention {
            self.desk.record(&saga_id, &action, actor, key).await?;
        }
        let (reply, answer) = oneshot::channel();
        let order_id = saga.status.order_id;
        let asked =
            ActionRequest { saga_id, order_id, action, key: key.to_owned(), request, reply };
        self.desk.actions.try_send(asked).map_err(|_| unavailable())?;
        // Who drops the question may have committed what was asked.
        let answer =
            answer.await.map_err(|_| Problem::from(Code::OutcomeUnknown).retry_after(1))?;
        let answer = answer.map_err(|error| refused(&error, id, key))?;
        let acted: ActedSaga =
            serde_json::from_str(&answer.body).map_err(|error| problem::internal(&error))?;
        let (etag, position) = (format!("\"{}\"", acted.version), self.token(acted.position));
        let mut response = Json(acted).into_response();
        let headers = response.headers_mut();
        if let Ok(etag) = HeaderValue::try_from(etag) {
            headers.insert(header::ETAG, etag);
        }
        headers.insert(position::HEADER, position.to_header());
        if answer.replayed {
            idempotency::mark_replayed(headers);
        }
        Ok(response)
    }
}

/// What a request asks, whole: its words, and the business time when it names one, which not everybody may.
pub(super) fn request(
    caller: &Caller,
    words: String,
    occurred_at: Option<BusinessTime>,
) -> Result<String, Problem> {
    let Some(time) = occurred_at else { return Ok(words) };
    caller.check(access::Action::SetTime, "/occurred_at")?;
    Ok(format!("{words} ({})", time.get().to_rfc3339()))
}

fn refused(error: &ActionError, id: &str, key: &str) -> Problem {
    match error {
        ActionError::NotFound => not_found(&id),
        ActionError::NotNow(error) => {
            let code = match error {
                SagaActionError::NotNeeded { .. } => Code::SagaNotInAttention,
                SagaActionError::NotByHand { .. } => Code::SagaNotResolvable,
            };
            Problem::from(code).detail(error.to_string())
        }
        ActionError::KeyReused { request, acted_at } => {
            let time = acted_at.to_rfc3339_opts(SecondsFormat::Secs, true);
            idempotency::reused(key, Some(&format!("on {time} for `{request}`")))
        }
        ActionError::Unavailable => unavailable(),
    }
}

fn unavailable() -> Problem {
    Problem::from(Code::Unavailable).detail("the sagas can't be changed now").retry_after(1)
}

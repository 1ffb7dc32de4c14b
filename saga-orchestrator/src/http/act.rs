//! What retry and resolve have in common: the key, the way to the runner, the answer.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::ids::SagaId;
use service_kit::business_time::BusinessTime;
use service_kit::extract::header_text;
use service_kit::problem::{Code, Problem};
use tokio::sync::oneshot;

use super::api::{Api, failed, not_found};
use crate::runner::{Action, ActionError, ActionRequest};
use crate::storage;

const KEY: &str = "idempotency-key";
/// Says that the answer is the stored one of an earlier request with the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, in characters.
const MAX_KEY: usize = 255;

impl Api {
    /// Has an action carried out once, however often the request comes.
    pub(super) async fn act(
        &self,
        headers: &HeaderMap,
        id: &str,
        action: Action,
        request: String,
    ) -> Result<Response, Problem> {
        let key = key(headers)?;
        let found = storage::find_saga(self.database.reader(), id).await.map_err(failed)?;
        let (_, saga) = found.ok_or_else(|| not_found(&id))?;
        let saga_id = SagaId::parse(id).map_err(|_| not_found(&id))?;
        let (reply, answer) = oneshot::channel();
        let order_id = saga.status.order_id;
        let asked = ActionRequest { saga_id, order_id, action, key, request, reply };
        self.actions.try_send(asked).map_err(|_| unavailable())?;
        let answer = answer.await.map_err(|_| unavailable())?;
        let answer = answer.map_err(|error| problem(&error, id))?;
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (StatusCode::OK, kind, answer.body).into_response();
        if answer.replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}

/// What a request asks, whole: its words, and the business time when it names one.
pub(super) fn request(words: String, occurred_at: Option<BusinessTime>) -> String {
    match occurred_at {
        Some(time) => format!("{words} ({})", time.get().to_rfc3339()),
        None => words,
    }
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let key = header_text(headers, KEY)?.ok_or(Code::IdempotencyKeyMissing)?;
    if key.is_empty() || key.len() > MAX_KEY {
        let range = format!("1 to {MAX_KEY} characters");
        return Err(Problem::from(Code::InvalidHeader).mistake(KEY, range));
    }
    Ok(key.to_owned())
}

fn problem(error: &ActionError, id: &str) -> Problem {
    match error {
        ActionError::NotFound => not_found(&id),
        ActionError::NotNow(error) => {
            Problem::from(Code::SagaNotInAttention).detail(error.to_string())
        }
        ActionError::KeyReused => Code::IdempotencyKeyReused.into(),
        ActionError::Unavailable => unavailable(),
    }
}

fn unavailable() -> Problem {
    Problem::from(Code::Unavailable).detail("the sagas can't be changed now").retry_after(1)
}

//! What stands around the body of every command: key, expectation, trace, time.

use std::sync::Arc;

use access::Action;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use domain::command::Command;
use event_store::Metadata;
use serde::Serialize;
use service_kit::access::Caller;
use service_kit::business_time::BusinessTime;
use service_kit::extract::header_text;
use service_kit::idempotency;
use service_kit::problem::{Code, Problem};
use service_kit::trace;

use super::app::App;
use super::told::CommandBody;
use crate::processor::{AnswerWith, ExecuteError, Outcome, Request, WithoutEffect};

/// Stands before the client's key in a command id, so that no client can speak in a saga's name.
const PRINCIPAL: &str = "client";
/// The same where it is known who the client is, whose id follows: so that none can speak in another's.
const KNOWN: &str = "caller";

/// The headers of a command, as the API description shows them.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct CommandHeaders {
    /// Names this request: sent again with the same key it is answered the same and done once. 1 to 255 visible characters,
    /// no personal data: it is kept in the log.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: String,
    /// The version that must not have changed, in quotes, such as `"7"`.
    #[param(rename = "If-Match", value_type = String, required = false, pattern = "^\"[0-9]{1,19}\"$")]
    if_match: Option<String>,
}

/// A command's headers, parsed.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) caller: Caller,
    method: String,
    path: String,
    key: String,
    expected: Option<u64>,
    traceparent: Option<Arc<str>>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let OriginalUri(uri) = match OriginalUri::from_request_parts(parts, state).await {
            Ok(uri) => uri,
            Err(never) => match never {},
        };
        let caller = Caller::from_request_parts(parts, state).await?;
        let traceparent = parts.headers.get("traceparent").and_then(|value| value.to_str().ok());
        Ok(Self {
            caller,
            method: parts.method.as_str().to_owned(),
            path: uri.path().to_owned(),
            key: idempotency::key(&parts.headers)?.to_owned(),
            expected: header_text(&parts.headers, "if-match")?.map(version).transpose()?,
            traceparent: traceparent
                .filter(|text| text.len() <= 64 && trace::is_context(text))
                .map(Arc::from),
        })
    }
}

fn version(header: &str) -> Result<u64, Problem> {
    let digits = header.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        Problem::from(Code::InvalidHeader)
            .mistake("If-Match", "is one version in quotes, such as \"7\"")
    })
}

/// A command's name and fingerprint: enough to know it again.
#[derive(Debug, Clone)]
pub(super) struct Fingerprint {
    pub(super) key: Arc<str>,
    pub(super) command_id: Arc<str>,
    pub(super) request_hash: [u8; 32],
}

impl Asked {
    /// The fingerprint of this request with this body. Of the body only the keyed hash is kept.
    pub(super) fn fingerprint(
        &self,
        app: &App,
        body: &impl Serialize,
    ) -> Result<Fingerprint, Problem> {
        let body =
            serde_json::to_vec(body).map_err(|error| service_kit::problem::internal(&error))?;
        let expected = self.expected.map(|version| version.to_string()).unwrap_or_default();
        let parts = [self.method.as_bytes(), self.path.as_bytes(), expected.as_bytes(), &body];
        Ok(Fingerprint {
            key: self.key.as_str().into(),
            command_id: self.command_id().into(),
            request_hash: app.hasher.hash(&parts),
        })
    }

    fn command_id(&self) -> String {
        match self.caller.id() {
            Some(caller) => format!("{KNOWN}/{caller}/{}", self.key),
            None => format!("{PRINCIPAL}/{}", self.key),
        }
    }

    /// Refuses a price and a time of those whom the catalog and the clock say them.
    pub(super) fn check(&self, body: &impl CommandBody) -> Result<(), Problem> {
        if let Some(pointer) = body.price_at() {
            self.caller.check(Action::SetPrice, &pointer)?;
        }
        if body.occurred_at().is_some() {
            self.caller.check(Action::SetTime, "/occurred_at")?;
        }
        Ok(())
    }

    /// The same of a target whose id is drawn for this request: nothing can be there.
    pub(super) fn of_something_new(self) -> Self {
        Self { expected: self.expected.or(Some(0)), ..self }
    }

    /// Carries the command out and gives back what the processor said.
    pub(super) async fn execute(
        &self,
        app: &App,
        fingerprint: &Fingerprint,
        occurred_at: Option<BusinessTime>,
        command: impl Into<Command>,
        answer: AnswerWith,
    ) -> Result<Outcome, Problem> {
        let command_id = Arc::clone(&fingerprint.command_id);
        let metadata = Arc::new(Metadata {
            command_id: Arc::clone(&command_id),
            actor: self.caller.name().map_or_else(|| PRINCIPAL.into(), Into::into),
            correlation_id: Arc::clone(&command_id),
            causation_id: None,
            traceparent: self.traceparent.clone(),
            occurred_at: occurred_at.map_or_else(|| (app.clock)(), BusinessTime::get),
        });
        let request = Request {
            command_id: Arc::clone(&command_id),
            request_hash: fingerprint.request_hash,
            command: command.into(),
            expected: self.expected,
            metadata,
            answer,
            without_effect: WithoutEffect::Answer,
        };
        match app.processor.execute(request).await {
            Err(ExecuteError::KeyReused) => Err(app.reused(&self.key, &command_id).await),
            outcome => outcome.map_err(|error| app.problem(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_in_quotes() {
        assert_eq!(version("\"7\""), Ok(7));
        for wrong in ["7", "\"\"", "\"-1\"", "\"+1\"", "W/\"7\"", "*", "\"99999999999999999999\""] {
            assert_eq!(version(wrong).unwrap_err().code(), "invalid_header", "{wrong}");
        }
    }
}

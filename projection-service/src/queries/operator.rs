//! What the requests of operators have in common: the key, a repeat, the answer.
//!
//! **Invariant:** a request is carried out once: its key is noted in the transaction that carries it out.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use service_kit::idempotency;
use service_kit::problem::{Code, Problem};
use utoipa::ToSchema;

use super::answer::{Answer, failed, read};
use super::app::App;
use super::projections::{describe, find};
use crate::runner::decide::DecisionError;
use crate::runner::handle::Handle;
use crate::runner::rebuild::RebuildError;
use crate::storage::catalog::Asked;

/// Nothing more has to be told.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct NoWords {}

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

impl App {
    /// Carries out what was asked for about a projection, once for its key, and answers how the projection is now.
    pub(super) async fn carry_out<E: Into<Problem>>(
        &self,
        headers: &HeaderMap,
        (name, verb): (&str, &str),
        status: StatusCode,
        act: impl AsyncFnOnce(&Arc<Handle>, Asked<'_>) -> Result<(), E>,
    ) -> Result<Response, Problem> {
        let key = idempotency::key(headers)?;
        let handle = find(self, name)?;
        let request = format!("{verb} {name}");
        let _alone = self.deciding.lock().await;
        let known = read(self.rebuilder.catalog.asked(key).await)?;
        let repeated = known.is_some();
        match known {
            Some(known) if known != request => {
                return Err(idempotency::reused(key, Some(&format!("for `{known}`"))));
            }
            Some(_) => {}
            None => act(handle, Asked { key, request: &request }).await.map_err(Into::into)?,
        }
        let (head, seen) = self.seen_at_head();
        let mut response = (status, Answer(seen, describe(handle, head))).into_response();
        if repeated {
            idempotency::mark_replayed(response.headers_mut());
        }
        Ok(response)
    }
}

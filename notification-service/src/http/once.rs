//! What is asked for twice under one key is done once, and answered as it was the first time.
//!
//! **Invariant:** an effect and that it was made are one transaction, after what an operator does was taken into the log. What is cut
//! off between the two is done by its repeat.

use aws_lc_rs::digest::{SHA256, digest};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::value::RawValue;
use service_kit::idempotency;
use service_kit::problem::{self, Problem};
use storage::{Connection, Transaction};

use super::api::{Api, failed};
use crate::storage::{self as tables, DoneAbout, DoneRequest};

/// A request under its key.
#[derive(Debug)]
pub(super) struct Once<'a> {
    key: &'a str,
    /// A hash of what is asked.
    request: String,
}

/// How a request was carried out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done<'a, T> {
    /// Without a secret.
    pub(super) answer: &'a T,
    /// The endpoint that the answer is about, which is forgotten with it.
    pub(super) endpoint_id: Option<&'a str>,
    /// It stands in the log.
    pub(super) is_in_log: bool,
}

impl<'a> Once<'a> {
    /// `asked` is all that tells this request from another.
    pub(super) fn of(key: &'a str, asked: &impl Serialize) -> Result<Self, Problem> {
        let asked = serde_json::to_vec(asked).map_err(|error| problem::internal(&error))?;
        Ok(Self { key, request: URL_SAFE_NO_PAD.encode(digest(&SHA256, &asked)) })
    }
}

impl Api {
    /// The answer of when this was done before; a problem if something else was done under its key.
    pub(super) async fn answered(
        &self,
        connection: &mut Connection,
        once: &Once<'_>,
    ) -> Result<Option<Box<RawValue>>, Problem> {
        let done = tables::find_done(connection, once.key).await.map_err(failed)?;
        let Some(DoneRequest { request, answer }) = done else { return Ok(None) };
        if request != once.request {
            return Err(idempotency::reused(once.key, None));
        }
        RawValue::from_string(answer).map(Some).map_err(|error| problem::internal(&error))
    }

    /// Keeps, with its effect, that this was done.
    pub(super) async fn keep_done<T: Serialize>(
        &self,
        transaction: &mut Transaction,
        once: &Once<'_>,
        done: Done<'_, T>,
    ) -> Result<(), Problem> {
        let Done { answer, endpoint_id, is_in_log } = done;
        let answer = serde_json::to_string(answer).map_err(|error| problem::internal(&error))?;
        let done = DoneRequest { request: once.request.clone(), answer };
        let about = DoneAbout { endpoint_id, is_in_log, at: (self.clock)() };
        tables::keep_done(transaction, once.key, &done, about).await.map_err(failed)
    }
}

/// Answers as before, and says so.
pub(super) fn again(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    idempotency::mark_replayed(response.headers_mut());
    response
}

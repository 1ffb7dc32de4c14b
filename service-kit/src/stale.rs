//! How a read says that it may be older than the log is: by a header, and why in the body's last member, `stale`.
//!
//! **Invariant:** beside that member the body is what it is when it is not old, in the same order.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::access::Caller;

/// The header, `true` where the answer may be old.
pub const HEADER: HeaderName = HeaderName::from_static("docket-stale");
/// Why an answer may be old, as far as customers are told.
const NOT_SHOWN_YET: &str = "something that happened since is not shown yet";

/// Why an answer may be older than the log is
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Stale {
    /// The position that can't be got over, or that is the last one heard of.
    pub position: u64,
    /// Why.
    pub cause: String,
}

impl Stale {
    /// It is not known how far the log is.
    pub fn unheard(position: u64) -> Self {
        let cause = "the log is not heard: it is not known what happened since".to_owned();
        Self { position, cause }
    }

    /// As it is told to somebody: a customer hears nothing of others' orders, nor of what is broken in the shop.
    #[must_use]
    pub fn told_to(mut self, caller: &Caller) -> Self {
        if caller.is_only_a_customer() {
            NOT_SHOWN_YET.clone_into(&mut self.cause);
        }
        self
    }
}

/// A JSON object as an answer, with why it may be old if it may.
#[derive(Debug)]
pub struct MayBeOld<T>(pub T, pub Option<Stale>);

/// The object and one member more.
#[derive(Serialize)]
struct Old<'a, T> {
    #[serde(flatten)]
    body: &'a T,
    stale: Stale,
}

impl<T: Serialize> IntoResponse for MayBeOld<T> {
    fn into_response(self) -> Response {
        let Self(body, stale) = self;
        let Some(stale) = stale else { return Json(body).into_response() };
        let mut response = Json(Old { body: &body, stale }).into_response();
        mark(response.headers_mut());
        response
    }
}

/// Says of an answer that it may be old.
pub fn mark(headers: &mut HeaderMap) {
    headers.insert(HEADER, HeaderValue::from_static("true"));
}

/// Whether an answer says so of itself.
pub fn is_marked(headers: &HeaderMap) -> bool {
    headers.get(HEADER).is_some_and(|value| value == "true")
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[derive(Serialize)]
    struct Body {
        version: u8,
        id: &'static str,
        #[serde(flatten)]
        more: More,
    }

    #[derive(Serialize)]
    struct More {
        data: Box<serde_json::value::RawValue>,
    }

    async fn answered(stale: Option<Stale>) -> (bool, String) {
        let data = serde_json::value::RawValue::from_string("{\"b\":1,\"a\":2}".into()).unwrap();
        let body = Body { version: 3, id: "o1", more: More { data } };
        let response = MayBeOld(body, stale).into_response();
        let is_old = is_marked(response.headers());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (is_old, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_may_be_old_says_so_last_and_is_else_what_it_was() {
        let (is_old, known) = answered(None).await;
        assert!(!is_old);
        assert_eq!(known, r#"{"version":3,"id":"o1","data":{"b":1,"a":2}}"#);
        let (is_old, old) = answered(Some(Stale { position: 7, cause: "why".into() })).await;
        assert!(is_old);
        let before = known.strip_suffix('}').unwrap();
        assert_eq!(old, format!(r#"{before},"stale":{{"position":7,"cause":"why"}}}}"#));
    }
}

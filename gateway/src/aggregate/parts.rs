//! The parts of an answer: what was told, from which position, what of it may be old, and what is missing and why.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::to_bytes;
use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::Value;
use service_kit::{position, stale};

/// The largest part, bytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A part that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct Missing {
    /// Which one.
    part: &'static str,
    /// The code of the error, such as `unavailable`.
    code: String,
    /// What is the matter, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// A part that may be older than the log is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct Old {
    /// Which one.
    part: &'static str,
    /// Why, as the part says in `stale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// What became of the parts so far.
#[derive(Default)]
pub(super) struct Told {
    /// From which position each is that is read from a model: `Docket-Position` of each.
    pub(super) positions: BTreeMap<&'static str, String>,
    /// What may be old: whatever says `Docket-Stale`.
    pub(super) old: Vec<Old>,
    pub(super) missing: Vec<Missing>,
    /// How many there are.
    there: usize,
    /// What the first that is missing was answered with.
    failed: Option<Response>,
}

impl Told {
    /// Takes what was answered about a part; its body when it is there.
    pub(super) async fn take(&mut self, part: &'static str, answer: Response) -> Option<Value> {
        let is_there = answer.status().is_success();
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, MOST_BYTES).await.unwrap_or_default();
        let value: Option<Value> = serde_json::from_slice(&body).ok();
        if let (true, Some(value)) = (is_there, &value) {
            let position = head.headers.get(position::HEADER).map(HeaderValue::to_str);
            if let Some(Ok(position)) = position {
                self.positions.insert(part, position.to_owned());
            }
            // A part may be asked for in several answers.
            if stale::is_marked(&head.headers) && self.old.iter().all(|old| old.part != part) {
                let cause = value["stale"]["cause"].as_str().map(str::to_owned);
                self.old.push(Old { part, cause });
            }
            self.there += 1;
            return Some(value.clone());
        }
        let said = |member: &str| value.as_ref()?[member].as_str().map(str::to_owned);
        let code = said("code").unwrap_or_else(|| "internal".to_owned());
        self.missing.push(Missing { part, code, detail: said("detail") });
        self.failed.get_or_insert_with(|| Response::from_parts(head, body.into()));
        None
    }

    /// The entries of a part that is a list.
    pub(super) async fn list(
        &mut self,
        part: &'static str,
        answer: Response,
    ) -> Option<Vec<Value>> {
        let mut list = self.take(part, answer).await?;
        match list["items"].take() {
            Value::Array(items) => Some(items),
            _ => Some(Vec::new()),
        }
    }

    /// A part can't even be asked for, because another is missing that says what to ask.
    pub(super) fn without(&mut self, part: &'static str, other: &'static str) {
        let of_other = self.missing.iter().find(|missing| missing.part == other);
        let code = of_other.map_or_else(|| "internal".to_owned(), |missing| missing.code.clone());
        let detail = Some(format!("it is found by `{other}`, which is missing"));
        self.missing.push(Missing { part, code, detail });
    }

    /// What is to be answered instead when nothing at all is there.
    pub(super) fn nothing(&mut self) -> Option<Response> {
        if self.there == 0 { self.failed.take() } else { None }
    }
}

/// All of it as an answer, that says in its header, too, when a part may be old.
pub(super) fn answered<T: Serialize>(whole: T, is_stale: bool) -> Response {
    let mut response = Json(whole).into_response();
    if is_stale {
        stale::mark(response.headers_mut());
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::response::IntoResponse as _;
    use serde_json::json;
    use service_kit::problem::{Code, Problem};

    use super::*;

    #[tokio::test]
    async fn a_part_that_is_missing_is_named_and_the_others_are_there() {
        let mut told = Told::default();
        let away = Problem::from(Code::Unavailable).detail("it is away").into_response();
        assert_eq!(told.take("a", away).await, None);
        let answer = ([(position::HEADER, "p")], Json(json!({ "items": [1] }))).into_response();
        assert_eq!(told.list("b", answer).await, Some(vec![json!(1)]));
        assert!(told.nothing().is_none());
        assert_eq!(told.positions["b"], "p");
        let missing =
            Missing { part: "a", code: "unavailable".into(), detail: Some("it is away".into()) };
        assert_eq!(told.missing, [missing]);
    }

    #[tokio::test]
    async fn a_part_that_may_be_old_is_named_once_with_what_it_says() {
        let mut told = Told::default();
        let known = Json(json!({ "items": [] })).into_response();
        told.list("a", known).await;
        assert_eq!(told.old, []);
        for _ in 0..2 {
            let unheard = Some(stale::Stale::unheard(7));
            let old = stale::MayBeOld(json!({ "items": [] }), unheard).into_response();
            told.list("b", old).await;
        }
        let cause = stale::Stale::unheard(7).cause;
        assert_eq!(told.old, [Old { part: "b", cause: Some(cause) }]);
    }

    #[tokio::test]
    async fn a_part_that_can_t_be_asked_for_is_missing_as_the_one_is_that_it_is_found_by() {
        let mut told = Told::default();
        told.take("a", Problem::from(Code::Unavailable).into_response()).await;
        told.without("b", "a");
        let missing = serde_json::to_value(&told.missing).unwrap();
        assert_eq!(
            (&missing[1]["part"], &missing[1]["code"]),
            (&json!("b"), &json!("unavailable"))
        );
        assert!(missing[1]["detail"].as_str().unwrap().contains("`a`"), "{missing}");
    }

    #[tokio::test]
    async fn where_nothing_is_there_the_first_error_is_the_answer() {
        let mut told = Told::default();
        for code in [Code::Unavailable, Code::Forbidden] {
            told.take("a", Problem::from(code).into_response()).await;
        }
        assert_eq!(told.nothing().unwrap().status(), 503);
    }
}

//! What a client reads of an error, and how the API's description shows it.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::gather::MOST_MISTAKES;

/// The most characters of a text that an answer repeats or is made of: a request of a mebibyte is not sent back.
const MOST_CHARS: usize = 500;

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// JSON pointer into the body, such as `/lines/0/quantity`, or the name of a parameter or header.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl Mistake {
    fn shortened(&self) -> Self {
        let (pointer, detail) = (shortened(&self.pointer), shortened(&self.detail));
        Self { pointer: pointer.into_owned(), detail: detail.into_owned() }
    }
}

/// The beginning of a text, when it is long.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// What a client reads.
#[derive(Serialize)]
pub(super) struct Said<'p> {
    #[serde(rename = "type")]
    kind: String,
    title: &'p str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'p, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Mistake>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'p str>,
    #[serde(flatten)]
    extensions: &'p Map<String, Value>,
}

impl<'p> Said<'p> {
    /// What is said of an error: what it is, what happened, to which request, and what it has beside that.
    pub(super) fn of(
        (code, status, title): (&'static str, StatusCode, &'p str),
        (detail, errors): (Option<&'p str>, &[Mistake]),
        request_id: Option<&'p str>,
        extensions: &'p Map<String, Value>,
    ) -> Self {
        let errors: Vec<Mistake> = errors.iter().map(Mistake::shortened).collect();
        let detail = match detail {
            Some(detail) => Some(shortened(detail)),
            None => in_words(&errors).map(|words| shortened(&words).into_owned().into()),
        };
        let kind = format!("/docs/errors/{code}");
        Self { kind, title, status: status.as_u16(), code, detail, errors, request_id, extensions }
    }
}

/// What is wrong, for who reads no list.
fn in_words(errors: &[Mistake]) -> Option<String> {
    match errors {
        [] => None,
        [Mistake { pointer, detail }] if pointer.is_empty() => Some(detail.clone()),
        [Mistake { pointer, detail }] => Some(format!("{pointer}: {detail}")),
        errors => {
            let more = if errors.len() < MOST_MISTAKES { "" } else { " at least" };
            Some(format!("there are{more} {} mistakes; `errors` names them", errors.len()))
        }
    }
}

/// An error: RFC 9457, with a stable code
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ProblemBody {
    /// Where the code is explained.
    r#type: String,
    /// One line for people.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The stable code.
    code: String,
    /// What happened in this case.
    detail: Option<String>,
    /// What is wrong with the request, one entry a place.
    errors: Option<Vec<MistakeBody>>,
    /// The id of the request, as in the logs.
    request_id: Option<String>,
}

/// One thing that is wrong with a request
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct MistakeBody {
    /// JSON pointer into the body, or the name of a parameter or header; its beginning, when it is very long.
    pointer: String,
    /// What is wrong there.
    detail: String,
}

//! Input, parsed once at the edge: what can't be read becomes a problem that points at the mistake.

use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Mistake, Problem};
use crate::{gather, mistakes, objects};

pub use crate::query::QueryParams;

/// A body that is to be JSON, as it came.
#[derive(Debug, Clone)]
pub struct JsonBytes {
    bytes: Bytes,
    is_json: bool,
}

impl JsonBytes {
    /// The value that it says.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.is_json { parse_json(&self.bytes) } else { Err(Code::UnsupportedMediaType.into()) }
    }

    /// Whether nothing is said: there is no body, or it is `null`.
    pub fn is_nothing(&self) -> bool {
        self.bytes.is_empty() || (self.is_json && self.bytes.trim_ascii() == b"null")
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes =
            Bytes::from_request(request, state).await.map_err(|error| unreadable(&error))?;
        Ok(Self { bytes, is_json })
    }
}

/// A JSON body.
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        JsonBytes::from_request(request, state).await?.read().map(Self)
    }
}

/// A JSON body, or the default when nothing is said.
#[derive(Debug, Clone, Copy)]
pub struct OptionalJsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = JsonBytes::from_request(request, state).await?;
        if body.is_nothing() { Ok(Self(T::default())) } else { body.read().map(Self) }
    }
}

/// Whether a body is said to be JSON, and that as it is: what is compressed is not unpacked.
fn is_json(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return false;
    }
    // Two that may say different things are none.
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = kinds.next().filter(|_| kinds.next().is_none());
    let kind = kind.and_then(|value| value.to_str().ok());
    let mut parts = kind.unwrap_or_default().split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/json") && parts.all(is_not_another_charset)
}

/// JSON is UTF-8; whoever says that theirs is something else would be misread.
fn is_not_another_charset(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or_default();
    !name.trim().eq_ignore_ascii_case("charset")
        || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
}

fn unreadable(error: &BytesRejection) -> Problem {
    let too_large = error.status() == StatusCode::PAYLOAD_TOO_LARGE;
    if too_large { Code::BodyTooLarge.into() } else { Code::InvalidBody.into() }
}

/// Parses a whole body; the problem of one that can't be parsed names every mistake in it.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() {
        return Err(Problem::from(Code::InvalidBody).mistake("", "there is no body; one is needed"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = objects::read(&mut deserializer).map_err(|error| {
        let (pointer, error) = (mistakes::pointer(error.path()), error.into_inner());
        if error.is_data() {
            let first = mistakes::mistake(Code::InvalidBody, &pointer, &error.to_string());
            gather::all::<T>(first, bytes)
        } else {
            vec![no_json(pointer, &error)]
        }
    });
    let ended = parsed.and_then(|value| match deserializer.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(vec![no_json(String::new(), &error)]),
    });
    ended.map_err(|wrong| Problem::from(Code::InvalidBody).mistakes(wrong))
}

fn no_json(pointer: String, error: &serde_json::Error) -> Mistake {
    Mistake { pointer, detail: format!("this is no JSON: {error}") }
}

/// The character that no store can look for, as it stands in a URL.
pub(crate) const NUL: &str = "%00";

/// The ids of a path.
#[derive(Debug, Clone, Copy)]
pub struct PathParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.path().contains(NUL) {
            let place = Problem::from(Code::InvalidPath);
            return Err(place.mistake("", "no id has the character U+0000 (`%00`)"));
        }
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(error) if error.status() == StatusCode::BAD_REQUEST => {
                let names = RawPathParams::from_request_parts(parts, state).await;
                let names: Vec<&str> = match &names {
                    Ok(names) => names.iter().map(|(name, _)| name).collect(),
                    Err(_) => Vec::new(),
                };
                Err(unread_path(error, &names))
            }
            Err(error) => {
                let cause = format!("a route's path does not fit its handler: {error}");
                Err(Problem::from(Code::Internal).caused_by(cause))
            }
        }
    }
}

/// Points at the part of a path that can't be read.
fn unread_path(error: PathRejection, names: &[&str]) -> Problem {
    let problem = Problem::from(Code::InvalidPath);
    let PathRejection::FailedToDeserializePathParams(error) = error else { return problem };
    let is_not = |value, wanted| format!("`{value}` is not {}", mistakes::named(wanted));
    match error.into_kind() {
        ErrorKind::DeserializeError { key, message, .. } => problem.mistake(key, message),
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => {
            problem.mistake(key, is_not(value, expected_type))
        }
        ErrorKind::ParseErrorAtIndex { index, value, expected_type } => {
            let name = names.get(index).copied().unwrap_or_default();
            problem.mistake(name, is_not(value, expected_type))
        }
        ErrorKind::ParseError { value, expected_type } => {
            let name = names.first().copied().unwrap_or_default();
            problem.mistake(name, is_not(value, expected_type))
        }
        ErrorKind::InvalidUtf8InPathParam { key } => problem.mistake(key, "is not UTF-8"),
        ErrorKind::Message(message) => {
            let name = names.first().copied().unwrap_or_default();
            problem.mistake(name, message)
        }
        _ => problem,
    }
}

/// The text of a header that has at most one value; `None` when it is absent.
pub fn header_text<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let wrong = || Problem::from(Code::InvalidHeader).mistake(name, "one value of visible ASCII");
    if values.next().is_some() {
        return Err(wrong());
    }
    first.to_str().map(Some).map_err(|_| wrong())
}

/// A handler that answers every request with this code.
pub async fn answer_with(code: Code) -> axum::response::Response {
    Problem::from(code).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only parsing is looked at")]
        lines: Vec<u32>,
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        let problem = parse_json::<Body>(br#"{"lines":[1,-2]}"#).unwrap_err().to_json();
        assert_eq!(problem["code"], "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "/lines/1");
    }

    #[test]
    fn what_follows_the_body_is_refused() {
        assert!(parse_json::<Body>(br#"{"lines":[]} x"#).is_err());
        assert!(parse_json::<Body>(b"{\"lines\":[\xff]}").is_err());
    }
}

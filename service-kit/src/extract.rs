//! Input, parsed once at the edge: what can't be read becomes a problem that points at the mistake.

use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};
use crate::{mistakes, objects};

/// A JSON body.
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Code::UnsupportedMediaType.into());
        }
        let bytes =
            Bytes::from_request(request, state).await.map_err(|error| unreadable(&error))?;
        parse_json(&bytes).map(Self)
    }
}

/// A JSON body, or the default when there is none at all.
#[derive(Debug, Clone, Copy)]
pub struct OptionalJsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = is_json(request.headers());
        let bytes =
            Bytes::from_request(request, state).await.map_err(|error| unreadable(&error))?;
        match (bytes.is_empty(), json) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => parse_json(&bytes).map(Self),
            (false, false) => Err(Code::UnsupportedMediaType.into()),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim).unwrap_or_default();
    essence.eq_ignore_ascii_case("application/json")
}

fn unreadable(error: &BytesRejection) -> Problem {
    let too_large = error.status() == StatusCode::PAYLOAD_TOO_LARGE;
    if too_large { Code::BodyTooLarge.into() } else { Code::InvalidBody.into() }
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = objects::read(&mut deserializer).map_err(|error| {
        let (pointer, error) = (pointer(error.path()), error.into_inner());
        if error.is_data() {
            mistakes::problem(Code::InvalidBody, &pointer, &error.to_string())
        } else {
            Problem::from(Code::InvalidBody).mistake(pointer, error.to_string())
        }
    })?;
    deserializer
        .end()
        .map_err(|error| Problem::from(Code::InvalidBody).mistake("", error.to_string()))?;
    Ok(value)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => return pointer,
        };
        pointer.push('/');
        pointer.push_str(&part);
        pointer
    })
}

/// The parameters of a query.
#[derive(Debug, Clone, Copy)]
pub struct QueryParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        parameters_are_text(query)?;
        parameters_say_something(query)?;
        let pairs = form_urlencoded::parse(query.as_bytes());
        let deserializer = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let (path, error) = (error.path().to_string(), error.into_inner());
            mistakes::problem(Code::InvalidQuery, &path, &error.to_string())
        })
    }
}

/// Refuses what [`form_urlencoded::parse`] would replace by U+FFFD and so turn into another question.
fn parameters_are_text(query: &str) -> Result<(), Problem> {
    for pair in query.split('&') {
        let (raw, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Ok(name) = percent_decode_str(raw).decode_utf8() else {
            let wrong = "is no parameter's name: its percent-encoded bytes are not UTF-8";
            return Err(Problem::from(Code::InvalidQuery)
                .mistake(raw, wrong)
                .detail(format!("`{raw}` {wrong}")));
        };
        if percent_decode_str(value).decode_utf8().is_err() {
            let wrong = "is not text: its percent-encoded bytes are not UTF-8";
            let detail = format!("`{name}` {wrong}");
            return Err(Problem::from(Code::InvalidQuery).mistake(name, wrong).detail(detail));
        }
    }
    Ok(())
}

/// Refuses a parameter without a value: nobody can say whether it was to narrow the question or not.
fn parameters_say_something(query: &str) -> Result<(), Problem> {
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if value.is_empty() {
            let code = match &*name {
                "limit" => Code::InvalidLimit,
                "cursor" => Code::InvalidCursor,
                _ => Code::InvalidQuery,
            };
            let detail = format!("`{name}` is empty");
            return Err(Problem::from(code)
                .mistake(name, "is empty: give it a value or leave it out")
                .detail(detail));
        }
    }
    Ok(())
}

/// The ids of a path.
#[derive(Debug, Clone, Copy)]
pub struct PathParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
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
                tracing::error!(%error, "a route's path does not fit its handler");
                Err(Code::Internal.into())
            }
        }
    }
}

/// Points at the part of a path that can't be read.
fn unread_path(error: PathRejection, names: &[&str]) -> Problem {
    let problem = Problem::from(Code::InvalidPath);
    let PathRejection::FailedToDeserializePathParams(error) = error else { return problem };
    let wrong = "is not what stands here";
    match error.into_kind() {
        ErrorKind::DeserializeError { key, message, .. } => problem.mistake(key, message),
        ErrorKind::ParseErrorAtKey { key, .. } => problem.mistake(key, wrong),
        ErrorKind::ParseErrorAtIndex { index, value, .. } => {
            let name = names.get(index).copied().unwrap_or_default();
            problem.mistake(name, format!("`{value}` {wrong}"))
        }
        ErrorKind::ParseError { value, .. } => {
            let name = names.first().copied().unwrap_or_default();
            problem.mistake(name, format!("`{value}` {wrong}"))
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

    #[test]
    fn a_parameter_without_a_value_is_refused() {
        for (query, code, pointer) in [
            ("sku=", "invalid_query", "sku"),
            ("limit=2&sku", "invalid_query", "sku"),
            ("limit=", "invalid_limit", "limit"),
            ("cursor=&limit=2", "invalid_cursor", "cursor"),
        ] {
            let problem = parameters_say_something(query).unwrap_err().to_json();
            assert_eq!(problem["code"], code, "{query}");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}");
        }
        for query in ["", "sku=a", "&", "sku=%20"] {
            assert!(parameters_say_something(query).is_ok(), "{query}");
        }
    }

    #[test]
    fn a_parameter_that_is_not_text_is_named_and_not_replaced() {
        for (query, pointer) in
            [("sku=%ff", "sku"), ("limit=2&s%6Bu=a%C3", "sku"), ("%fe=a", "%fe"), ("%ff", "%ff")]
        {
            let problem = parameters_are_text(query).unwrap_err().to_json();
            assert_eq!(problem["code"], "invalid_query", "{query}");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}");
            assert!(problem["detail"].as_str().unwrap().contains("not UTF-8"), "{problem}");
        }
        for query in ["", "a", "a=&b", "sku=%EF%BF%BD", "sku=caf%C3%A9+au=lait", "sku=100%"] {
            assert!(parameters_are_text(query).is_ok(), "{query}");
        }
    }
}

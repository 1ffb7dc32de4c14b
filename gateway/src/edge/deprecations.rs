//! Operations that will go: their answers say since when they are old and when they end (RFC 9745, RFC 8594).

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// What is old.
#[derive(Debug, Clone, Copy)]
pub(super) struct Old {
    /// What its paths begin with.
    pub(super) prefix: &'static str,
    /// Since when, in seconds of Unix' time after an `@`.
    pub(super) since: &'static str,
    /// From when on it may be gone, as a date of HTTP.
    pub(super) until: &'static str,
    /// Where it is said what to use instead.
    pub(super) instead: &'static str,
}

/// Everything that is old. Nothing is, as of `/v1`; an operation that goes stands here for a year before it does.
pub(super) const OLD: &[Old] = &[];

/// What is old of what a path leads to.
pub(super) fn of(old: &'static [Old], path: &str) -> Option<&'static Old> {
    old.iter().find(|old| path.starts_with(old.prefix))
}

impl Old {
    /// Says on an answer that it is of something old.
    pub(super) fn told(&self, answer: &mut Response) {
        let headers = answer.headers_mut();
        headers.insert(DEPRECATION, HeaderValue::from_static(self.since));
        headers.insert(SUNSET, HeaderValue::from_static(self.until));
        headers.append(header::LINK, HeaderValue::from_static(self.instead));
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    const OLDER: &[Old] = &[Old {
        prefix: "/v0/",
        since: "@1767225600",
        until: "Fri, 01 Jan 2027 00:00:00 GMT",
        instead: "</docs>; rel=\"deprecation\"",
    }];

    #[test]
    fn what_is_old_says_so_and_nothing_else_does() {
        let old = of(OLDER, "/v0/orders").unwrap();
        let mut answer = "[]".into_response();
        old.told(&mut answer);
        assert_eq!(answer.headers()[DEPRECATION], OLDER[0].since);
        assert_eq!(answer.headers()[SUNSET], OLDER[0].until);
        assert_eq!(answer.headers()[header::LINK], OLDER[0].instead);
        assert!(of(OLDER, "/v1/orders").is_none());
    }
}

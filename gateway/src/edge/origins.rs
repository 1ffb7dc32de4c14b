//! Pages of other origins that may use the API from a browser. Nobody may, unless a setting names them.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember what it was allowed.
const REMEMBERED_FOR: Duration = Duration::from_hours(1);

/// With which methods such a page may ask: all that an operation has.
const TAKEN: [Method; 4] = [Method::GET, Method::HEAD, Method::POST, Method::DELETE];
/// What such a page may send.
const SENT: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    HeaderName::from_static("prefer"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("docket-actor"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("x-request-id"),
];
/// And what of an answer it may read, beside what everybody may.
const READ: [HeaderName; 12] = [
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("deprecation"),
    HeaderName::from_static("sunset"),
    HeaderName::from_static("docket-position"),
    HeaderName::from_static("docket-stale"),
    HeaderName::from_static("idempotency-replayed"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("x-request-id"),
];

/// An origin: `https://shop.example`, with a port if it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "is not an origin like https://shop.example".to_owned();
        let parts = text.parse::<Uri>().map_err(|_| wrong())?.into_parts();
        let scheme = parts.scheme.ok_or_else(wrong)?;
        let authority = parts.authority.ok_or_else(wrong)?;
        let origin = format!("{scheme}://{authority}");
        let is_web = matches!(scheme.as_str(), "http" | "https");
        if !is_web || origin != text.to_lowercase() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        HeaderValue::try_from(origin).map(Self).map_err(|_| wrong())
    }
}

/// Lets pages of these origins in; a token goes with each request by itself, never by a cookie.
pub(super) fn let_in(origins: &[Origin]) -> CorsLayer {
    let origins = origins.iter().map(|origin| origin.0.clone());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods(TAKEN)
        .allow_headers(SENT)
        .expose_headers(READ)
        .max_age(REMEMBERED_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host_and_nothing_else() {
        for origin in ["https://shop.example", "http://localhost:3000"] {
            assert!(origin.parse::<Origin>().is_ok(), "{origin}");
        }
        for wrong in [
            "*",
            "null",
            "shop.example",
            "https://shop.example/",
            "https://a@shop.example",
            "ftp://x",
            "",
        ] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }
}

//! Headers that keep browsers from doing with an answer what nobody meant.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

/// On every answer.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-site"),
];
/// What a page of ours may load: only what comes from here.
const PAGES: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
/// What is no page loads nothing.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// Puts them on an answer, where it does not say otherwise itself.
pub fn guard<B>(mut answer: Response<B>) -> Response<B> {
    let is_of_a_stranger = answer.status() == StatusCode::UNAUTHORIZED;
    let headers = answer.headers_mut();
    if is_of_a_stranger {
        // A router adds which methods the path takes, which is nobody's business who is not known.
        headers.remove(header::ALLOW);
    }
    for (name, value) in ALWAYS {
        keep(headers, name, value);
    }
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_page = kind.is_some_and(|kind| kind.starts_with(b"text/html"));
    keep(headers, header::CONTENT_SECURITY_POLICY, if is_page { PAGES } else { DATA });
    // Personal data in it, or of a moment ago: nothing that a cache on the way should have.
    let is_of_the_api = kind_is_json(headers);
    if is_of_the_api {
        keep(headers, header::CACHE_CONTROL, "no-store");
    }
    answer
}

fn kind_is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.contains("json"))
}

fn keep(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::response::{Html, IntoResponse as _};

    use super::*;

    #[test]
    fn data_loads_nothing_and_is_not_kept_a_page_loads_what_is_ours_and_a_stranger_is_not_told_what_a_path_takes()
     {
        let data = guard(Json("x").into_response());
        assert_eq!(data.headers()[header::CONTENT_SECURITY_POLICY], DATA);
        assert_eq!(data.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(data.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let page = guard(Html("x").into_response());
        assert_eq!(page.headers()[header::CONTENT_SECURITY_POLICY], PAGES);
        assert!(!page.headers().contains_key(header::CACHE_CONTROL));
        let takes = [(header::ALLOW, "GET")];
        let of_a_stranger = guard((StatusCode::UNAUTHORIZED, takes.clone()).into_response());
        assert!(!of_a_stranger.headers().contains_key(header::ALLOW));
        let known = guard((StatusCode::METHOD_NOT_ALLOWED, takes).into_response());
        assert_eq!(known.headers()[header::ALLOW], "GET");
        let own = guard(([(header::REFERRER_POLICY, "origin")], "x").into_response());
        assert_eq!(own.headers()[header::REFERRER_POLICY], "origin");
    }
}

//! Operations that will go: their answers say since when they are old and when they end (RFC 9745, RFC 8594).

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
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

/// Says of what is old that it is.
pub(super) async fn tell(old: &'static [Old], request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let known = old.iter().find(|old| path.starts_with(old.prefix));
    let mut answer = next.run(request).await;
    if let Some(old) = known {
        let headers = answer.headers_mut();
        headers.insert(DEPRECATION, HeaderValue::from_static(old.since));
        headers.insert(SUNSET, HeaderValue::from_static(old.until));
        headers.append(header::LINK, HeaderValue::from_static(old.instead));
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    const OLDER: &[Old] = &[Old {
        prefix: "/v0/",
        since: "@1767225600",
        until: "Fri, 01 Jan 2027 00:00:00 GMT",
        instead: "</docs>; rel=\"deprecation\"",
    }];

    #[tokio::test]
    async fn what_is_old_says_so_and_nothing_else_does() {
        let router = Router::new().route("/v0/orders", get(|| async {}));
        let router = router.route("/v1/orders", get(|| async {}));
        let router = router.layer(middleware::from_fn(|request, next| tell(OLDER, request, next)));
        let ask = async |path: &str| {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap()
        };
        let old = ask("/v0/orders").await;
        assert_eq!(old.headers()[DEPRECATION], OLDER[0].since);
        assert_eq!(old.headers()[SUNSET], OLDER[0].until);
        assert_eq!(old.headers()[header::LINK], OLDER[0].instead);
        assert!(!ask("/v1/orders").await.headers().contains_key(SUNSET));
    }
}

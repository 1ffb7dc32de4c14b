//! What goes on to a service, and what of it and of the answer is about one connection only.

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use service_kit::http::REQUEST_ID;

/// Headers that are about one connection, not about the request, whether or not it says so.
const OF_ONE_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    header::HOST,
    header::CONTENT_LENGTH,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// A request as it goes on.
#[derive(Debug, Clone)]
pub(crate) struct Handed {
    pub(crate) method: Method,
    pub(crate) path: PathAndQuery,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Handed {
    /// A client's request, whose body was read, under this id.
    pub(crate) fn new(head: Parts, body: Bytes, id: Option<HeaderValue>) -> Self {
        let Parts { method, uri, mut headers, .. } = head;
        of_the_request(&mut headers);
        if let Some(id) = id {
            headers.insert(REQUEST_ID, id);
        }
        let path = uri.into_parts().path_and_query;
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        Self { method, path, headers, body }
    }

    /// A read of the gateway's own.
    pub(crate) fn get(path: &'static str) -> Self {
        let path = PathAndQuery::from_static(path);
        Self { method: Method::GET, path, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn is_command(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    /// Whether it may be sent again though it may have been carried out.
    pub(crate) fn may_repeat(&self) -> bool {
        !self.is_command() || self.headers.contains_key("idempotency-key")
    }
}

/// Leaves the headers that are about the request, or the answer: whoever sends it names what else is about the connection (RFC 9110, 7.6.1).
pub(super) fn of_the_request(headers: &mut HeaderMap) {
    let said = headers.get_all(header::CONNECTION).iter();
    let words = said.flat_map(|said| said.as_bytes().split(|byte| *byte == b','));
    let named: Vec<HeaderName> =
        words.filter_map(|word| HeaderName::from_bytes(word.trim_ascii()).ok()).collect();
    for name in named.iter().chain(&OF_ONE_CONNECTION) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_one_connection_goes_no_further_whoever_names_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Hop"),
            ("connection", "x-other,, no name"),
            ("te", "trailers"),
            ("x-hop", "1"),
            ("x-other", "2"),
            ("x-end", "3"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        of_the_request(&mut headers);
        let left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["x-end"]);
    }
}

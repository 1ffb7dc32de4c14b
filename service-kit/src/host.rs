//! By whose name a request comes: HTTP/1.1 has it say one, and where nobody is asked who they are it has to be one of this machine's.
//!
//! Everybody on this machine may do everything then, so also a browser that shows a page of somebody else: that page can have its own name
//! lead here (DNS rebinding), and would read and write as if all this were its own. It can't have the browser say another name.
//!
//! **Invariant:** what says no name, or several, is not looked at; nor, there, what comes by another name than one of this machine's own.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{Version, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use tower::{Service, ServiceExt as _, service_fn};

use crate::browsers;
use crate::problem::{Code, Problem};

/// The names of this machine for itself, and what it was told to listen at.
#[derive(Debug, Clone)]
pub struct OwnNames {
    told: Arc<str>,
    address: IpAddr,
}

impl OwnNames {
    /// Those of whoever was told to listen at this host and port, and does at this address.
    pub fn at(told: &str, address: SocketAddr) -> Self {
        let told = told.rsplit_once(':').map_or(told, |(host, _)| host);
        Self { told: told.into(), address: address.ip() }
    }

    /// Whether a request comes by one of them. One that says no name comes from no browser.
    fn has(&self, by: &Named, request: &Request) -> bool {
        let is_one = match by {
            Named::Not => true,
            Named::Empty => false,
            Named::By(name) => self.is_one(name.host()),
        };
        is_one && request.uri().host().is_none_or(|host| self.is_one(host))
    }

    fn is_one(&self, host: &str) -> bool {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address {
            Ok(address) => address.to_canonical().is_loopback() || address == self.address,
            Err(_) => {
                host.eq_ignore_ascii_case("localhost") || host.eq_ignore_ascii_case(&self.told)
            }
        }
    }
}

/// The same service, which answers only what comes by one of these names; by any where there are none.
pub fn only_by<S>(
    names: Option<OwnNames>,
    service: S,
) -> impl Service<
    Request,
    Response = Response,
    Error = Infallible,
    Future: Future<Output = Result<Response, Infallible>> + Send,
> + Clone
+ Send
+ 'static
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (unnamed, misdirected) = (refusing(unnamed), refusing(misdirected));
    service_fn(move |request: Request| {
        let refusing = match (named(&request), &names) {
            (None, _) => Some(unnamed.clone()),
            (Some(by), Some(names)) if !names.has(&by, &request) => Some(misdirected.clone()),
            (Some(_), _) => None,
        };
        let service = service.clone();
        async move {
            match refusing {
                Some(refusing) => refusing.oneshot(request).await.map(browsers::guard),
                None => service.oneshot(request).await,
            }
        }
    })
}

/// How a request says whom it asks.
enum Named {
    /// It does not, as none had to before HTTP/1.1.
    Not,
    /// By an empty name.
    Empty,
    By(Authority),
}

/// The one name by which a request says whom it asks (RFC 9112, 3.2); none where it says no name that can be read, or several.
fn named(request: &Request) -> Option<Named> {
    let mut said = request.headers().get_all(header::HOST).iter();
    let Some(host) = said.next() else {
        return (request.version() < Version::HTTP_11).then_some(Named::Not);
    };
    if said.next().is_some() {
        return None;
    }
    if host.is_empty() {
        return Some(Named::Empty);
    }
    Authority::try_from(host.as_bytes()).ok().map(Named::By)
}

/// What is said to whoever says no name.
fn unnamed() -> Problem {
    let said = "a request of HTTP/1.1 says once whom it asks, as `Host: shop.example`";
    Problem::from(Code::InvalidHeader).mistake("Host", said)
}

/// What to do, for whoever comes by another name.
fn misdirected() -> Problem {
    let said = "nobody is asked who they are here, so requests come by `localhost`, `127.0.0.1` or `[::1]` and by no other name: a \
        page of the web could have its own lead here. A proxy before this says `Host: localhost`; or name whose tokens are \
        taken with `--auth-file`";
    Problem::from(Code::MisdirectedRequest).detail(said)
}

/// Says this to everybody.
fn refusing(problem: fn() -> Problem) -> Router {
    let said = move || async move { problem().into_response() };
    crate::http::finish(Router::new().route("/", any(said)).route("/{*path}", any(said)))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;

    use super::*;

    async fn asked(names: Option<OwnNames>, uri: &str, hosts: &[&str]) -> (StatusCode, String) {
        let router = Router::new().route("/orders", any(|| async { "orders" }));
        let mut request = Request::get(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = only_by(names, router).oneshot(request).await.unwrap();
        let status = answer.status();
        // Also a browser is answered so, before all that stands around other answers.
        let is_guarded = answer.headers().contains_key(header::X_CONTENT_TYPE_OPTIONS);
        assert!(is_guarded || status.is_success(), "{uri} {hosts:?}");
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn names() -> OwnNames {
        OwnNames::at("shop.internal:8080", "127.9.9.9:8080".parse().unwrap())
    }

    #[tokio::test]
    async fn what_comes_by_a_name_of_this_machine_is_answered() {
        for host in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.9.9.9:1",
            "[::1]:8080",
            "[::1]",
            "[::ffff:127.0.0.1]:8080",
            "shop.internal:8080",
        ] {
            let answer = asked(Some(names()), "/orders", &[host]).await;
            assert_eq!(answer, (StatusCode::OK, "orders".to_owned()), "{host}");
        }
        assert_eq!(
            asked(Some(names()), "http://localhost/orders", &["localhost"]).await.0,
            StatusCode::OK
        );
    }

    #[tokio::test]
    async fn what_comes_by_another_name_is_not_looked_at_unless_somebody_asks_who_it_is() {
        for (uri, hosts) in [
            ("/orders", &["evil.example"][..]),
            ("/orders", &["evil.example:8080"]),
            ("/orders", &["localhost.evil.example"]),
            ("/orders", &["127.0.0.1.evil.example"]),
            ("/orders", &["10.0.0.7:8080"]),
            ("/orders", &[""]),
            ("http://evil.example/orders", &["localhost"]),
        ] {
            let (status, body) = asked(Some(names()), uri, hosts).await;
            assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{uri} {hosts:?}");
            for word in ["misdirected_request", "request_id", "--auth-file"] {
                assert!(body.contains(word), "{body}");
            }
            assert_eq!(asked(None, "/orders", hosts).await.0, StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn what_says_no_name_or_several_or_none_that_can_be_read_is_refused_everywhere() {
        for hosts in
            [&[][..], &["localhost", "localhost"], &["evil.example", "localhost"], &["a b"]]
        {
            for names in [Some(names()), None] {
                let (status, body) = asked(names, "/orders", hosts).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{hosts:?}");
                for word in ["invalid_header", "request_id", "Host: shop.example"] {
                    assert!(body.contains(word), "{body}");
                }
            }
        }
        let router = Router::new().route("/orders", any(|| async { "orders" }));
        let old = Request::get("/orders").version(Version::HTTP_10).body(Body::empty()).unwrap();
        let answer = only_by(Some(names()), router).oneshot(old).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "HTTP/1.0 knows no such header");
    }
}

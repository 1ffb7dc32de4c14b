//! A request while it is not known who comes: what its address may, and what it is worth to look at what is shown.
//!
//! **Invariant:** of an address that has shown too many tokens that were not taken, so many are looked at and no more, but for those that
//! were taken before; and notices that a payment provider signed are charged to nobody.

use std::net::IpAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;

use super::cost;
use super::limiter::{Charged, Inner, Limiter};
use super::rate::Limit;
use crate::routes::is_notice;

/// On an answer: whoever asked has shown who they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identified;

/// Where a request comes from, as far as that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CameFrom(pub(crate) IpAddr);

/// What is known of a request before it is known who comes.
#[derive(Debug)]
pub(crate) enum Visit {
    /// It does not count where it comes from.
    Anywhere,
    /// Nothing was shown; the address was charged.
    Charged(IpAddr, Charged),
    /// A provider may have sent it: whether its signature is one is looked at behind.
    Notice(IpAddr),
    /// This was shown, of which it is not known yet whether it is worth anything.
    Shows(IpAddr, HeaderValue),
}

impl Visit {
    /// Where it comes from, if that counts.
    pub(crate) fn from(&self) -> Option<IpAddr> {
        match self {
            Self::Anywhere => None,
            Self::Charged(from, _) | Self::Notice(from) | Self::Shows(from, _) => Some(*from),
        }
    }
}

impl Limiter {
    /// Around what asks who comes.
    pub fn by_address(&self, router: Router) -> Router {
        if self.0.settings.strangers == Limit::Off {
            return router;
        }
        router.layer(middleware::from_fn_with_state(self.clone(), by_address))
    }

    /// Lets a request be looked at, as far as what its address may goes: the answer to it, where that has nothing left.
    pub(crate) fn meet(&self, head: &Parts) -> Result<Visit, Box<Response>> {
        let Inner { settings, addresses, notices, tokens, .. } = &*self.0;
        let Some(rate) = settings.strangers.rate() else { return Ok(Visit::Anywhere) };
        let (named, from) = (("address", rate), settings.proxies.key(head));
        let path = head.uri.path();
        if is_notice(&head.method, path) {
            let charged = Charged { named, verdict: notices.look(&from, 1, rate) };
            return charged.refusal().map_or(Ok(Visit::Notice(from)), |it| Err(Box::new(it)));
        }
        let Some(shown) = head.headers.get(header::AUTHORIZATION) else {
            let only_told = settings.guarded && path.starts_with("/v1/");
            let cost = if only_told { cost::REFUSED_TOKEN } else { cost::of(&head.method, path) };
            let charged = Charged { named, verdict: addresses.spend(&from, cost, rate) };
            return match charged.refusal() {
                Some(refusal) => Err(Box::new(refusal)),
                None => Ok(Visit::Charged(from, charged)),
            };
        };
        let charged = Charged { named, verdict: addresses.look(&from, 1, rate) };
        match charged.refusal() {
            Some(refusal) if !tokens.is_worth_a_look(shown.as_bytes()) => Err(Box::new(refusal)),
            _ => Ok(Visit::Shows(from, shown.clone())),
        }
    }

    /// The answer as it leaves, now that it is known whether they have shown who they are.
    pub(crate) fn part(&self, visit: Visit, is_known: bool, answer: Response) -> Response {
        let Inner { settings, addresses, notices, tokens, .. } = &*self.0;
        let (from, shown) = match visit {
            Visit::Anywhere => return answer,
            Visit::Charged(_, charged) => return charged.said_on(answer),
            Visit::Notice(from) => {
                if let Some(rate) = settings.strangers.rate()
                    && answer.status().is_client_error()
                {
                    notices.spend(&from, cost::REFUSED_TOKEN, rate);
                }
                return answer;
            }
            Visit::Shows(from, shown) => (from, shown),
        };
        if is_known {
            tokens.was_taken(shown.as_bytes());
            return answer;
        }
        let rate = settings.strangers.rate();
        let Some(rate) = rate.filter(|_| answer.status() == StatusCode::UNAUTHORIZED) else {
            return answer;
        };
        tokens.was_refused(shown.as_bytes());
        let verdict = addresses.spend(&from, cost::REFUSED_TOKEN, rate);
        let charged = Charged { named: ("address", rate), verdict };
        // It may have had nothing left before.
        charged.refusal().unwrap_or_else(|| charged.said_on(answer))
    }
}

async fn by_address(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let visit = match limiter.meet(&head) {
        Ok(visit) => visit,
        Err(refusal) => return *refusal,
    };
    if let Some(from) = visit.from() {
        head.extensions.insert(CameFrom(from));
    }
    let mut answer = next.run(Request::from_parts(head, body)).await;
    let is_known = answer.extensions_mut().remove::<Identified>().is_some();
    limiter.part(visit, is_known, answer)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::IntoResponse as _;
    use axum::routing::get;
    use service_kit::problem::{Code, Problem};
    use tower::ServiceExt as _;

    use super::super::address::TrustedProxies;
    use super::super::limiter::{LIMIT, LimitSettings, POLICY};
    use super::super::rate::Rate;
    use super::*;

    const SMALL: Limit = Limit::At(Rate::new(1, 3));

    fn limiter(strangers: Limit) -> Limiter {
        let proxies = TrustedProxies::in_networks(vec!["::1/128".parse().unwrap()]);
        let (customers, staff, services) = (SMALL, Limit::Off, Limit::Off);
        Limiter::new(LimitSettings {
            customers,
            staff,
            services,
            strangers,
            guarded: true,
            proxies,
        })
    }

    /// A platform that takes one token.
    fn platform() -> Router {
        let answer = async |request: Request| match request
            .headers()
            .get(header::AUTHORIZATION)
            .map(HeaderValue::as_bytes)
        {
            Some(b"Bearer good" | b"Bearer new") => {
                let mut answer = "welcome".into_response();
                answer.extensions_mut().insert(Identified);
                answer
            }
            _ => Problem::from(Code::Unauthenticated).into_response(),
        };
        limiter(SMALL).by_address(Router::new().route("/v1/orders", get(answer)))
    }

    async fn ask(router: &Router, token: Option<&str>, from: &str) -> Response {
        let mut request = Request::builder().uri("/v1/orders").header("x-forwarded-for", from);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn bad_tokens_use_up_what_an_address_may_and_good_ones_do_not() {
        let router = platform();
        for _ in 0..10 {
            assert_eq!(ask(&router, Some("good"), "192.0.2.1").await.status(), StatusCode::OK);
        }
        for _ in 0..3 {
            let answer = ask(&router, Some("bad"), "192.0.2.1").await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
        let answer = ask(&router, Some("bad"), "192.0.2.1").await;
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        assert_eq!(answer.headers()[POLICY], "\"address\";q=3;w=3");
        // Whoever shares the address is not shut out with it, known or new.
        for token in ["good", "new"] {
            assert_eq!(ask(&router, Some(token), "192.0.2.1").await.status(), StatusCode::OK);
        }
        for _ in 0..1_000 {
            ask(&router, Some("bad"), "192.0.2.1").await;
        }
        assert_eq!(ask(&router, Some("good"), "192.0.2.1").await.status(), StatusCode::OK);
        let answer = ask(&router, None, "192.0.2.2").await;
        assert_eq!(answer.headers()[LIMIT], "\"address\";r=2;t=1");
    }

    #[tokio::test]
    async fn what_a_client_says_of_where_it_comes_from_makes_it_no_other() {
        let router = platform();
        let answers = (0..50).map(|it| format!("203.0.113.{it}, 198.51.100.7"));
        let mut refused = 0;
        for from in answers {
            let answer = ask(&router, None, &from).await;
            refused += u32::from(answer.status() == StatusCode::TOO_MANY_REQUESTS);
        }
        assert!(refused >= 46, "{refused}");
    }

    #[tokio::test]
    async fn an_address_without_a_limit_is_not_looked_at() {
        let router = limiter(Limit::Off).by_address(Router::new().route("/", get(|| async {})));
        for _ in 0..100 {
            let request = Request::new(Body::empty());
            let answer = router.clone().oneshot(request).await.unwrap();
            assert!(answer.status().is_success() && !answer.headers().contains_key(LIMIT));
        }
    }

    #[tokio::test]
    async fn notices_of_a_provider_are_nobodys_share_and_what_is_none_has_an_end() {
        let answer = async |request: Request| match request.headers().get("stripe-signature") {
            Some(signature) if signature == "good" => StatusCode::OK.into_response(),
            _ => Problem::from(Code::Unauthenticated).into_response(),
        };
        let path = "/v1/payments/webhooks/stripe";
        let router = Router::new().route(path, axum::routing::post(answer));
        let router = limiter(SMALL).by_address(router.route("/docs", get(|| async {})));
        let notice = async |signature: &str| {
            let request = Request::post(path).header("stripe-signature", signature);
            router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
        };
        for _ in 0..10 {
            let docs = Request::get("/docs").body(Body::empty()).unwrap();
            router.clone().oneshot(docs).await.unwrap();
            assert_eq!(notice("good").await, StatusCode::OK);
        }
        for _ in 0..3 {
            assert_eq!(notice("bad").await, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(notice("bad").await, StatusCode::TOO_MANY_REQUESTS);
    }
}

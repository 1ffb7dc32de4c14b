//! Keeps everybody to what they may: whoever shows who they are by who they are, and all others by where they come from.
//!
//! **Invariant:** of an address that has shown too many tokens that were not taken, so many are looked at and no more, but for those that
//! were taken before; a client says nothing of itself by which it would be counted as another.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::{Principal, Role};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use service_kit::problem::{Code, Problem};

use super::address::TrustedProxies;
use super::buckets::{Buckets, Verdict};
use super::cost;
use super::rate::{Limit, Rate};
use super::tokens::Tokens;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How much everybody may.
#[derive(Debug, Clone)]
pub struct LimitSettings {
    /// Each customer.
    pub customers: Limit,
    /// Each of support and operators.
    pub staff: Limit,
    /// Each service.
    pub services: Limit,
    /// Each address from which somebody comes who does not show who they are.
    pub strangers: Limit,
    /// Whether the API answers nobody who does not show who they are: being told so costs little, whatever was asked for.
    pub guarded: bool,
    /// Whose word on where somebody comes from counts.
    pub proxies: TrustedProxies,
}

/// Keeps everybody to it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Limiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: LimitSettings,
    principals: Buckets,
    addresses: Buckets,
    tokens: Tokens,
}

/// A limit with its name.
type Named = (&'static str, Rate);

impl Limiter {
    /// With nothing spent yet.
    pub fn new(settings: LimitSettings) -> Self {
        let (principals, addresses) = (Buckets::default(), Buckets::default());
        Self(Arc::new(Inner { settings, principals, addresses, tokens: Tokens::default() }))
    }

    /// Around what asks who comes.
    pub fn by_address(&self, router: Router) -> Router {
        if self.0.settings.strangers == Limit::Off {
            return router;
        }
        router.layer(middleware::from_fn_with_state(self.clone(), by_address))
    }

    /// Takes what a request costs from what somebody may; nothing where they may as much as they want.
    pub(crate) fn charge(&self, principal: &Principal, request: &Request) -> Option<Charged> {
        let (who, named) = self.limit_of(principal)?;
        let cost = cost::of(request.method(), request.uri().path());
        let verdict = self.0.principals.spend(&who, cost, named.1);
        Some(Charged { named, verdict })
    }

    /// The limit of somebody: the widest of their roles'.
    fn limit_of(&self, principal: &Principal) -> Option<(String, Named)> {
        let known = principal.known()?;
        let settings = &self.0.settings;
        let mut widest: Option<Named> = None;
        for role in known.roles() {
            let (name, limit) = match role {
                Role::Customer => ("customer", settings.customers),
                Role::Support | Role::Operator => ("staff", settings.staff),
                Role::Service => ("service", settings.services),
            };
            let rate = limit.rate()?;
            if widest.is_none_or(|(_, other)| rate.interval() < other.interval()) {
                widest = Some((name, rate));
            }
        }
        Some((known.name(), widest?))
    }
}

/// What was taken of what somebody may, if there was enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Charged {
    named: Named,
    verdict: Verdict,
}

impl Charged {
    /// The answer to whoever has too little left.
    pub(crate) fn refusal(self) -> Option<Response> {
        let Self { named, verdict } = self;
        verdict.refused_for.map(|wait| refused(named, verdict, wait))
    }

    /// Says on an answer what is left.
    pub(crate) fn said_on(self, answer: Response) -> Response {
        said(answer, self.named, self.verdict)
    }
}

/// On an answer: whoever asked has shown who they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identified;

/// Where a request comes from, as far as that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CameFrom(pub(crate) IpAddr);

async fn by_address(State(limiter): State<Limiter>, mut request: Request, next: Next) -> Response {
    let Some(rate) = limiter.0.settings.strangers.rate() else { return next.run(request).await };
    let named = ("address", rate);
    let from = limiter.0.settings.proxies.key(&request);
    request.extensions_mut().insert(CameFrom(from));
    let buckets = &limiter.0.addresses;
    let shown = request.headers().get(header::AUTHORIZATION).cloned();
    let Some(shown) = shown else {
        let path = request.uri().path();
        let only_told = limiter.0.settings.guarded && path.starts_with("/v1/");
        let cost = if only_told { cost::REFUSED_TOKEN } else { cost::of(request.method(), path) };
        let verdict = buckets.spend(&from, cost, rate);
        return match verdict.refused_for {
            Some(wait) => refused(named, verdict, wait),
            None => said(next.run(request).await, named, verdict),
        };
    };
    let (shown, tokens) = (shown.as_bytes(), &limiter.0.tokens);
    let verdict = buckets.look(&from, 1, rate);
    if let Some(wait) = verdict.refused_for
        && !tokens.is_worth_a_look(shown)
    {
        return refused(named, verdict, wait);
    }
    let mut answer = next.run(request).await;
    if answer.extensions_mut().remove::<Identified>().is_some() {
        tokens.was_taken(shown);
        return answer;
    }
    if answer.status() != StatusCode::UNAUTHORIZED {
        return answer;
    }
    tokens.was_refused(shown);
    let verdict = buckets.spend(&from, cost::REFUSED_TOKEN, rate);
    match verdict.refused_for {
        // It had nothing left before.
        Some(wait) => refused(named, verdict, wait),
        None => said(answer, named, verdict),
    }
}

fn refused(named: Named, verdict: Verdict, wait: Duration) -> Response {
    metrics::counter!("docket_gateway_rate_limited_total", "limit" => named.0).increment(1);
    let wait = u32::try_from(seconds(wait)).unwrap_or(u32::MAX);
    let detail = format!("there is more again in {wait} s");
    let problem = Problem::from(Code::RateLimited).detail(detail).retry_after(wait);
    said(problem.into_response(), named, verdict)
}

/// Says what the limit is and what is left of it, in the words of the IETF's draft.
fn said(mut answer: Response, (name, rate): Named, verdict: Verdict) -> Response {
    let (burst, window) = (rate.burst(), seconds(rate.window()));
    let (left, whole_in) = (verdict.left, seconds(verdict.whole_in));
    let policy = HeaderValue::try_from(format!("\"{name}\";q={burst};w={window}"));
    let limit = HeaderValue::try_from(format!("\"{name}\";r={left};t={whole_in}"));
    if let (Ok(policy), Ok(limit)) = (policy, limit) {
        answer.headers_mut().insert(POLICY, policy);
        answer.headers_mut().insert(LIMIT, limit);
    }
    answer
}

/// Whole seconds, one that was begun included.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;
    use crate::limits::rate::Rate;

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
}

//! Keeps everybody to what they may: whoever shows who they are by who they are, and all others by where they come from.
//!
//! **Invariant:** a client says nothing of itself by which it would be counted as another.

use std::sync::Arc;
use std::time::Duration;

use access::{Principal, Role};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse as _, Response};
use service_kit::problem::{Code, Problem};

use super::address::TrustedProxies;
use super::buckets::{Buckets, Verdict};
use super::cost;
use super::rate::{Limit, Rate};
use super::tokens::Tokens;

pub(super) const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

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
pub struct Limiter(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) settings: LimitSettings,
    principals: Buckets,
    pub(super) addresses: Buckets,
    /// Of addresses, for what is no notice of a provider though it came as one.
    pub(super) notices: Buckets,
    pub(super) tokens: Tokens,
}

/// A limit with its name.
type Named = (&'static str, Rate);

impl Limiter {
    /// With nothing spent yet.
    pub fn new(settings: LimitSettings) -> Self {
        Self(Arc::new(Inner {
            settings,
            principals: Buckets::default(),
            addresses: Buckets::default(),
            notices: Buckets::default(),
            tokens: Tokens::default(),
        }))
    }

    /// Takes what a request costs from what somebody may; nothing where they may as much as they want.
    pub(crate) fn charge(
        &self,
        principal: &Principal,
        method: &Method,
        path: &str,
    ) -> Option<Charged> {
        let (who, named) = self.limit_of(principal)?;
        let cost = cost::of(method, path);
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
    pub(super) named: Named,
    pub(super) verdict: Verdict,
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

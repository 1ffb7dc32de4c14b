//! What stands around everything that is answered at the public entrance.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use service_kit::access::Access;
use service_kit::extract::answer_with;
use service_kit::problem::Code;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use super::deprecations::{self, OLD};
use super::headers;
use super::origins::{Origin, let_in};
use crate::limits::{Admission, Charged, FarBehind, Identified, LimitSettings, Limiter};

/// Answers that are smaller are not worth the time, bytes.
const COMPRESSED_FROM: u64 = 1024;

/// How strangers are met.
#[derive(Debug, Clone)]
pub struct EntranceSettings {
    /// How much everybody may.
    pub limits: LimitSettings,
    /// Whose pages may use the API from a browser.
    pub origins: Vec<Origin>,
    /// How far read models and sagas are meant to be behind the log, at most.
    pub meant_behind: Duration,
}

/// The entrance. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Entrance {
    limiter: Limiter,
    origins: Vec<Origin>,
    meant_behind: Duration,
}

impl Entrance {
    /// One at which nobody was yet.
    pub fn new(settings: EntranceSettings) -> Self {
        let EntranceSettings { limits, origins, meant_behind } = settings;
        Self { limiter: Limiter::new(limits), origins, meant_behind }
    }

    /// Around the API: who comes is asked, and kept to what they may; their writes wait while what follows the log is `behind`.
    pub fn guard(&self, api: Router, access: &Access, behind: FarBehind) -> Router {
        let admission = Admission::new(self.meant_behind, behind);
        let (access, limiter) = (access.clone(), self.limiter.clone());
        // Shared: whatever stands here is cloned for every request.
        let guard = Arc::new(Guard { access, limiter, admission });
        // Also before a method that a path does not take: who has no token is not told which paths there are.
        let api = api.method_not_allowed_fallback(|| answer_with(Code::MethodNotAllowed));
        api.layer(middleware::from_fn_with_state(guard, enter))
    }

    /// Around everything that may be counted against where somebody comes from.
    pub fn limit(&self, router: Router) -> Router {
        self.limiter.by_address(router)
    }

    /// Around everything, request ids and problems included.
    pub fn edge(&self, mut router: Router) -> Router {
        if !OLD.is_empty() {
            let tell = |request, next| deprecations::tell(OLD, request, next);
            router = router.layer(middleware::from_fn(tell));
        }
        if !self.origins.is_empty() {
            router = router.layer(let_in(&self.origins));
        }
        let worth_it =
            SizeAbove::new(COMPRESSED_FROM).and(NotForContentType::const_new("text/event-stream"));
        let compression = CompressionLayer::new().gzip(true).compress_when(worth_it);
        router.layer(ServiceBuilder::new().map_response(headers::guard).layer(compression))
    }
}

/// What stands before the API.
#[derive(Debug)]
struct Guard {
    access: Access,
    limiter: Limiter,
    admission: Admission,
}

/// The way of a request to the API: who comes, whether they may now, and when.
async fn enter(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let principal = match guard.access.identify(&mut request).await {
        Ok(principal) => principal,
        Err(problem) => return problem.into_response(),
    };
    let charged = guard.limiter.charge(&principal, &request);
    let mut answer = within_limits(&guard, charged, request, next).await;
    answer.extensions_mut().insert(Identified);
    answer
}

async fn within_limits(
    guard: &Guard,
    charged: Option<Charged>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(refusal) = charged.and_then(Charged::refusal) {
        return refusal;
    }
    guard.admission.admit(&request).await;
    let answer = next.run(request).await;
    match charged {
        Some(charged) => charged.said_on(answer),
        None => answer,
    }
}

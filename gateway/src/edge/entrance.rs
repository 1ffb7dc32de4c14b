//! What stands around everything that is answered at the public entrance.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware;
use service_kit::access::Access;
use service_kit::answers::{Answering, Answers};
use service_kit::browsers;
use service_kit::extract::answer_with;
use service_kit::problem::Code;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::compression;
use super::deprecations::{self, OLD};
use super::guard::{Guard, enter};
use super::origins::{Origin, let_in};
use crate::limits::{Admission, FarBehind, LimitSettings, Limiter};
#[cfg(test)]
use crate::limits::{Limit, TrustedProxies};

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

    /// What stands before the API: who comes is asked, and kept to what they may; their writes wait while what follows the log is `behind`.
    pub fn guard(&self, access: &Access, behind: FarBehind) -> Guarding {
        let admission = Admission::new(self.meant_behind, behind);
        let (access, limiter) = (access.clone(), self.limiter.clone());
        Guarding(Arc::new(Guard { access, limiter, admission }))
    }

    /// Around everything that may be counted against where somebody comes from.
    pub fn limit(&self, router: Router) -> Router {
        self.limiter.by_address(router)
    }

    /// Around everything, request ids and problems included.
    pub fn edge<S: Answering>(&self, service: S) -> Answers {
        if self.origins.is_empty() {
            return Answers::of(edged(service));
        }
        Answers::of(edged(let_in(&self.origins).layer(service)))
    }
}

/// What stands before the API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guarding(pub(crate) Arc<Guard>);

impl Guarding {
    /// Around a router of the API.
    pub fn around(&self, api: Router) -> Router {
        // Also before a method that a path does not take: who has no token is not told which paths there are.
        let api = api.method_not_allowed_fallback(|| answer_with(Code::MethodNotAllowed));
        api.layer(middleware::from_fn_with_state(Arc::clone(&self.0), enter))
    }

    /// Says this to whoever shows who they are: beside routes that ask nobody, where something else is asked of their paths.
    pub fn says(&self, code: Code) -> impl Handler<((),), ()> {
        let enter = middleware::from_fn_with_state(Arc::clone(&self.0), enter);
        let said = move || answer_with(code);
        said.layer(enter)
    }
}

/// What is on every answer.
fn edged<S: Answering>(service: S) -> impl Answering {
    service_fn(move |request: Request| {
        let old = deprecations::of(OLD, request.uri().path());
        let accepted = compression::accepted(request.headers());
        let service = service.clone();
        async move {
            let mut answer = service.oneshot(request).await?;
            if let Some(accepted) = accepted {
                answer = compression::compressed(accepted, answer).await;
            }
            if let Some(old) = old {
                old.told(&mut answer);
            }
            Ok(browsers::guard(answer))
        }
    })
}

#[cfg(test)]
impl Guarding {
    /// One that asks nobody who they are, where an address may ask so much.
    pub(crate) fn of_strangers(strangers: Limit) -> Self {
        let limits = LimitSettings {
            customers: Limit::Off,
            staff: Limit::Off,
            services: Limit::Off,
            strangers,
            guarded: true,
            proxies: TrustedProxies::default(),
        };
        let (origins, meant_behind) = (Vec::new(), Duration::ZERO);
        let entrance = Entrance::new(EntranceSettings { limits, origins, meant_behind });
        entrance.guard(&Access::open(), Arc::new(|| Duration::ZERO))
    }
}

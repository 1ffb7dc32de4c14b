//! Who asks: the layer around a service's routes.

use std::fmt;
use std::sync::Arc;

use access::{Action, Principal, Refused, Verifier};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::described::describe_guarded;
use super::needs::admit;
use crate::problem::{Code, Problem};

/// Says on a request that somebody before the service asked who comes, and relies on the service to decide what they may.
pub const RELIES: HeaderName = HeaderName::from_static("docket-entrance");
/// What stands before a token.
const BEARER: &str = "bearer";
/// What a client is told that sent nothing.
const NOTHING: &str = "Bearer realm=\"docket\"";

/// Whether and how a service asks who asks. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    kind: Kind,
    /// Whether whatever this is put around is the first that asks.
    is_first: bool,
}

#[derive(Clone)]
enum Kind {
    Open(Arc<Principal>),
    Tokens(Arc<Verifier>),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_open() { "Access::open()" } else { "Access::tokens(..)" })
    }
}

impl Access {
    /// Nobody is asked who they are, and everybody may everything.
    pub fn open() -> Self {
        Self { kind: Kind::Open(Arc::new(Principal::Open)), is_first: true }
    }

    /// Whoever comes needs a token that this takes.
    pub fn tokens(verifier: Verifier) -> Self {
        Self { kind: Kind::Tokens(Arc::new(verifier)), is_first: true }
    }

    /// The same for what stands behind an entrance in this very process: whoever comes was asked there, and is not asked again. What
    /// comes another way has shown nothing, and is refused.
    #[must_use]
    pub fn behind_an_entrance(&self) -> Self {
        Self { kind: self.kind.clone(), is_first: false }
    }

    /// Whether everybody may everything.
    pub fn is_open(&self) -> bool {
        matches!(self.kind, Kind::Open(_))
    }

    /// Puts it around routes, and into their description.
    #[must_use]
    pub fn guard<S: Clone + Send + Sync + 'static>(
        &self,
        mut router: OpenApiRouter<S>,
    ) -> OpenApiRouter<S> {
        self.describe(router.get_openapi_mut());
        if !self.is_first {
            return router;
        }
        router.layer(middleware::from_fn_with_state(self.clone(), authenticate))
    }

    /// Says in a description that what needs something takes a token, if it does.
    pub fn describe(&self, api: &mut OpenApi) {
        if !self.is_open() {
            describe_guarded(api);
        }
    }

    /// The same around routes that have no description and are all one action.
    pub fn guard_plain(&self, router: Router, action: Action) -> Router {
        let decide = move |request: Request, next: Next| admit(action, request, next);
        let router = router.layer(middleware::from_fn(decide));
        router.layer(middleware::from_fn_with_state(self.clone(), authenticate))
    }

    /// Asks only who comes. Whoever decides finds them among what is known of the request.
    ///
    /// # Errors
    /// Without a token that is taken; or while it can't be told.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Arc<Principal>, Problem> {
        match &self.kind {
            // Else a customer's token would do everything here.
            Kind::Open(_) if headers.contains_key(RELIES) => {
                let told = "this service asks nobody who they are, and the gateway before it relies on it to: give it the \
                            same `auth_file`";
                Err(Problem::from(Code::Unavailable).detail(told).retry_after(30))
            }
            Kind::Open(principal) => Ok(Arc::clone(principal)),
            Kind::Tokens(verifier) => {
                let principal = verifier.verify(token(headers)?).await;
                principal.map(Arc::new).map_err(|refused| problem(&refused))
            }
        }
    }
}

async fn authenticate(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    match access.identify(request.headers()).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// The token of a request. One that stands elsewhere than in the header, as in a query, would be in every log.
fn token(headers: &HeaderMap) -> Result<&str, Problem> {
    let unauthenticated = || Problem::from(Code::Unauthenticated);
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        let needed = "this needs a token: `Authorization: Bearer …`";
        return Err(unauthenticated().detail(needed).challenge(NOTHING));
    };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    let (scheme, token) = text.and_then(|text| text.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case(BEARER) {
        return Ok(token);
    }
    let not_one = "`Authorization` is one value, `Bearer` and a token";
    Err(unauthenticated().detail(not_one).challenge(NOTHING))
}

fn problem(refused: &Refused) -> Problem {
    if let Refused::KeysAway { again_in_s } = *refused {
        let problem = Problem::from(Code::Unavailable).detail(refused.to_string());
        return problem.retry_after(again_in_s);
    }
    let reason = refused.to_string();
    // A quoted text has no quotes in it.
    let quoted = reason.replace(['"', '\\'], "'");
    let challenge = format!("{NOTHING}, error=\"invalid_token\", error_description=\"{quoted}\"");
    Problem::from(Code::Unauthenticated).detail(reason).challenge(challenge)
}

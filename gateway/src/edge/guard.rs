//! What stands before the API: who comes, whether they may now, and when.

use std::net::IpAddr;
use std::sync::Arc;

use access::Principal;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use service_kit::access::Access;
use service_kit::problem::Problem;

use crate::limits::{Admission, Charged, Identified, Limiter};

/// The same for everybody who comes.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(super) access: Access,
    pub(super) limiter: Limiter,
    pub(super) admission: Admission,
}

impl Guard {
    /// The answer to somebody who comes from outside: what `on` gives to whoever may go on, or why they may not.
    pub(crate) async fn let_in(
        &self,
        head: Parts,
        on: impl AsyncFnOnce(Parts, &Arc<Principal>, Option<IpAddr>) -> Response,
    ) -> Response {
        let visit = match self.limiter.meet(&head) {
            Ok(visit) => visit,
            Err(refusal) => return *refusal,
        };
        let from = visit.from();
        let on = async |head, principal: Arc<_>| on(head, &principal, from).await;
        match self.enter(head, on).await {
            Ok(answer) => self.limiter.part(visit, true, answer),
            Err(problem) => self.limiter.part(visit, false, problem.into_response()),
        }
    }

    /// The answer to whoever shows who they are: what `on` gives, or that they have asked too much. To all others, why not.
    async fn enter(
        &self,
        head: Parts,
        on: impl AsyncFnOnce(Parts, Arc<Principal>) -> Response,
    ) -> Result<Response, Problem> {
        let principal = self.access.identify(&head.headers).await?;
        let (method, path) = (&head.method, head.uri.path());
        let charged = self.limiter.charge(&principal, method, path);
        if let Some(refusal) = charged.and_then(Charged::refusal) {
            return Ok(refusal);
        }
        self.admission.admit(method, path).await;
        let answer = on(head, principal).await;
        Ok(match charged {
            Some(charged) => charged.said_on(answer),
            None => answer,
        })
    }
}

/// Around a router: what is behind finds on the request who it is.
pub(super) async fn enter(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let on = async |mut head: Parts, principal| {
        head.extensions.insert(principal);
        next.run(Request::from_parts(head, body)).await
    };
    match guard.enter(head, on).await {
        Ok(mut answer) => {
            answer.extensions_mut().insert(Identified);
            answer
        }
        Err(problem) => problem.into_response(),
    }
}

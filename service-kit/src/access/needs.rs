//! What a route needs, said where the route is named.

use std::sync::Arc;

use access::{Action, Denied, Principal, Resource, authorize};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::UtoipaMethodRouter;

use super::caller::Caller;
use super::described::describe_needs;
use crate::problem::{Code, Problem};

/// A route that says which action it is.
pub trait Needs {
    /// Lets only those reach it who may do this at all; to which things is for the handler to ask of its [`Caller`].
    #[must_use]
    fn needs(self, action: Action) -> Self;
}

impl<S: Clone + Send + Sync + 'static> Needs for UtoipaMethodRouter<S> {
    fn needs(self, action: Action) -> Self {
        let (schemas, mut paths, methods) = self;
        describe_needs(&mut paths, action);
        let decide = move |request: Request, next: Next| admit(action, request, next);
        (schemas, paths, methods.layer(middleware::from_fn(decide)))
    }
}

/// Lets a request through whose principal may do this.
pub(super) async fn admit(action: Action, mut request: Request, next: Next) -> Response {
    let Some(principal) = request.extensions().get::<Arc<Principal>>() else {
        let cause = "a route that needs an action is behind no guard";
        return Problem::from(Code::Internal).caused_by(cause).into_response();
    };
    if let Err(denied) = authorize(principal, action, Resource::Some) {
        return forbidden(denied).into_response();
    }
    let caller = Caller::new(Arc::clone(principal), action);
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// The problem of somebody who may not.
pub(super) fn forbidden(denied: Denied) -> Problem {
    Problem::from(Code::Forbidden).detail(denied.to_string())
}

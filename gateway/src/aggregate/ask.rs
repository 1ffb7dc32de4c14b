//! Asking the services behind the gateway on behalf of whoever asked.
//!
//! **Invariant:** they are asked with the client's own token and nothing else, so nobody sees more here than there.

use std::sync::Arc;

use access::Principal;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse as _, Response};
use service_kit::http::{REQUEST_ID, RequestId};
use service_kit::problem::{Code, Problem};
use tower::ServiceExt as _;

use crate::services::Services;
use crate::upstream::Handed;
use crate::whose::Who;

/// The services behind: in this process, or elsewhere.
#[derive(Debug, Clone)]
pub enum Behind {
    /// What they answer together, under `/v1`.
    Local(Router),
    /// Where they are.
    Remote(Arc<Services>),
}

/// Whoever asked.
pub(super) struct Asker {
    principal: Option<Arc<Principal>>,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut headers = HeaderMap::new();
        if let Some(token) = parts.headers.get(header::AUTHORIZATION) {
            headers.insert(header::AUTHORIZATION, token.clone());
        }
        if let Some(RequestId(id)) = parts.extensions.get()
            && let Ok(id) = id.parse()
        {
            headers.insert(REQUEST_ID, id);
        }
        Ok(Self { principal: parts.extensions.get().cloned(), headers })
    }
}

impl Behind {
    /// What is answered to a read.
    pub(super) async fn get(&self, asker: &Asker, path: &str) -> Response {
        let unreadable = |error: axum::http::Error| {
            let cause = format!("a path of ours can't be read: {path}: {error}");
            Problem::from(Code::Internal).caused_by(cause).into_response()
        };
        let headers = asker.headers.clone();
        match self {
            Self::Remote(services) => match PathAndQuery::try_from(path) {
                Ok(path) => {
                    let (method, body) = (Method::GET, Bytes::new());
                    let who = Who { principal: asker.principal.as_deref(), from: None };
                    services.ask(Handed { method, path, headers, body }, who).await
                }
                Err(error) => unreadable(error.into()),
            },
            Self::Local(router) => match Request::get(path).body(Body::empty()) {
                Ok(mut request) => {
                    *request.headers_mut() = headers;
                    if let Some(principal) = &asker.principal {
                        request.extensions_mut().insert(Arc::clone(principal));
                    }
                    let answer = router.clone().oneshot(request).await;
                    answer.into_response()
                }
                Err(error) => unreadable(error),
            },
        }
    }
}

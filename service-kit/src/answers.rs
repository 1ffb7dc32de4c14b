//! What answers all that comes to an address, whatever it is put together of.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use futures::future::BoxFuture;
use tower::{Service, ServiceExt as _};

/// Whatever answers each request with a response, and never with an error.
pub trait Answering:
    Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Answering for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

type Answered = BoxFuture<'static, Result<Response, Infallible>>;

/// A service with a name that is short. Cheap to clone; each request has one future in a box, however many services there are
/// in it.
#[derive(Clone)]
pub struct Answers(Arc<dyn Fn(Request) -> Answered + Send + Sync>);

impl Answers {
    /// Those of a service.
    pub fn of<S: Answering>(service: S) -> Self {
        Self(Arc::new(move |request| Box::pin(service.clone().oneshot(request))))
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers(..)")
    }
}

impl Service<Request> for Answers {
    type Response = Response;
    type Error = Infallible;
    type Future = Answered;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answered {
        (self.0)(request)
    }
}

//! The way of a request to a service that is elsewhere, from the first look at it to its answer: where it comes from, who it is of,
//! what they may, its body, a place, and whoever answers.
//!
//! Nearly all that comes to the gateway goes this way, so it is one function, and nothing on it is looked up or kept for what comes
//! after. What goes another way (answers of several services, pages, notices) is found by a router.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::Response;
use service_kit::answers::Answering;
use service_kit::asked::Asked;
use service_kit::hear_out::{asks_first, to_its_end};
use tower::{ServiceExt as _, service_fn};

use crate::edge::{Guard, Guarding};
use crate::routes::{Service, guarded};
use crate::services::Services;
use crate::whose::Who;

/// What traces and metrics show as the route of all that goes this way.
const ROUTE: &str = "/v1/{*path}";

/// The way to the services. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Passage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    guard: Arc<Guard>,
    services: Arc<Services>,
}

impl Passage {
    /// The way past this guard to these.
    pub fn new(guard: &Guarding, services: &Arc<Services>) -> Self {
        Self(Arc::new(Inner { guard: Arc::clone(&guard.0), services: Arc::clone(services) }))
    }

    /// Before a router, which answers what goes another way.
    pub fn before(self, others: Router) -> impl Answering {
        service_fn(move |request: Request| {
            let (passage, others) = (Arc::clone(&self.0), others.clone());
            async move {
                match guarded(request.method(), request.uri().path()) {
                    Some(service) => Ok(passage.pass(service, request).await),
                    None => others.oneshot(request).await,
                }
            }
        })
    }
}

impl Inner {
    async fn pass(&self, service: Service, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let asked = Asked::begin(&head, Some(ROUTE));
        let id = HeaderValue::from_str(asked.id()).ok();
        heard_out(asked, (head, body), async |head, body| {
            self.answer(service, head, body, id).await
        })
        .await
    }

    async fn answer(
        &self,
        service: Service,
        head: Parts,
        body: &mut Body,
        id: Option<HeaderValue>,
    ) -> Response {
        let on = async |head, principal: &Arc<_>, from| {
            let who = Who { principal: Some(principal), from };
            self.services.hand_on(service, head, (body, who), id).await
        };
        self.guard.let_in(head, on).await
    }
}

/// The answer to a request that was begun, once its client is heard out.
pub(crate) async fn heard_out(
    asked: Asked<'_>,
    (head, mut body): (Parts, Body),
    answer: impl AsyncFnOnce(Parts, &mut Body) -> Response,
) -> Response {
    let asks_first = asks_first(&head.headers);
    asked
        .answered_by(async {
            // In a box: what is around it is moved on its way to where it stays.
            let answer = Box::pin(answer(head, &mut body)).await;
            to_its_end(&mut body, asks_first, answer).await
        })
        .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::StatusCode;
    use axum::routing::get;
    use service_kit::http::REQUEST_ID;
    use tower::Service as _;

    use super::*;
    use crate::limits::{Limit, Rate};
    use crate::services::Addresses;
    use crate::upstream::{Client, Policy};

    /// Services of which none is there, behind an entrance at which an address may ask three times.
    fn entrance() -> (Passage, Router) {
        let policy = Policy { deadline: Duration::from_secs(1), most_in_flight: 2 };
        let client = Client::in_clear(policy.deadline);
        let services = Arc::new(Services::at(Addresses::default(), &client, policy, false));
        let guard = Guarding::of_strangers(Limit::At(Rate::new(1, 3)));
        let others = Router::new().route("/v1/overview", get(|| async { "overview" }));
        (Passage::new(&guard, &services), others)
    }

    #[tokio::test]
    async fn what_is_a_services_passes_here_with_its_id_and_its_limits_and_all_else_is_the_routers()
    {
        let (passage, others) = entrance();
        let answers = passage.before(others);
        let ask = async |path: &str| {
            let request = Request::get(path).header(REQUEST_ID, "mine").body(Body::empty());
            answers.clone().oneshot(request.unwrap()).await.unwrap()
        };
        for _ in 0..3 {
            let answer = ask("/v1/orders").await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.headers()[REQUEST_ID], "mine");
            assert!(answer.headers().contains_key("ratelimit"));
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["detail"], "projection-service does not answer");
            assert_eq!(body["request_id"], "mine");
        }
        let answer = ask("/v1/orders").await;
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()[REQUEST_ID], "mine");
        assert_eq!(ask("/v1/overview").await.status(), StatusCode::OK);
        assert_eq!(ask("/nothing").await.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_request_on_its_way_takes_little_room() {
        let (passage, others) = entrance();
        let request = || Request::get("/v1/orders").body(Body::empty()).unwrap();
        let (head, mut body) = request().into_parts();
        let in_its_box = size_of_val(&passage.0.answer(Service::Models, head, &mut body, None));
        let around = size_of_val(&passage.before(others).call(request()));
        assert!(in_its_box < 8 * 1024 && around < 3 * 1024, "{in_its_box} and {around} bytes");
    }
}

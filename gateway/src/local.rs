//! The services behind the entrance in this very process: a call is the way to them, and the rest is as for those that are elsewhere.
//!
//! All that happens on the way to a route stands around it in one layer: a router's layers are cloned for every request, each with all
//! that are below it.
//!
//! **Invariant:** none of them has more requests under way than it may have, and no request is under way for longer than it may be.

use std::sync::Arc;

use access::Principal;
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use service_kit::asked::Asked;
use service_kit::extract::answer_with;
use service_kit::http::RequestId;
use service_kit::problem::Code;
use service_kit::valve::Valve;

use crate::bodies::Bodies;
use crate::edge::{Guard, Guarding};
use crate::passage::heard_out;
use crate::places::{NoPlace, Places};
use crate::routes::{Service, handed_to};
use crate::upstream::{Policy, no_place, unanswered};
use crate::whose::Who;

/// The services of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LocalServices {
    policy: Policy,
    bodies: Bodies,
    places: Arc<[Places; Service::ALL.len()]>,
}

impl LocalServices {
    /// All of them, asked by this policy.
    pub fn new(policy: Policy) -> Self {
        let places = Service::ALL.map(|_| Places::of(policy.most_in_flight));
        Self { policy, bodies: Bodies::default(), places: Arc::new(places) }
    }

    /// Shut for each as long as it has all that it may have.
    pub fn valve(&self) -> Valve {
        let places = Arc::clone(&self.places);
        Valve::new(move |method, path| {
            let service = handed_to(method, path)?;
            places[service as usize]
                .is_full(method, path)
                .then(|| no_place(service.name(), NoPlace::Full))
        })
    }

    /// Around what they answer together, for strangers: past this guard. What is nobody's path is theirs to answer too, as it is where
    /// they are processes: once it is known who asks, and not told before which methods a path takes.
    pub fn behind(&self, guard: &Guarding, api: Router) -> Router {
        let nothing = || any(|| answer_with(Code::NotFound));
        let api = api.route("/v1/", nothing()).route("/v1/{*path}", nothing());
        let api = api.method_not_allowed_fallback(|| answer_with(Code::MethodNotAllowed));
        let way = Way { guard: Arc::clone(&guard.0), services: self.clone() };
        api.layer(middleware::from_fn_with_state(Arc::new(way), pass))
    }

    /// Around what they answer together, for whoever has been let in.
    pub fn around(&self, api: Router) -> Router {
        api.layer(middleware::from_fn_with_state(self.clone(), hand_on))
    }

    async fn hand_on(
        &self,
        mut head: Parts,
        (body, who): (&mut Body, Who<'_>),
        next: Next,
    ) -> Response {
        let service = Service::of(&head.method, head.uri.path());
        let is_read = matches!(head.method, Method::GET | Method::HEAD);
        // Without a place: whoever sends slowly would hold it.
        let (body, _held) = match self.bodies.read(&head.method, body, who).await {
            Ok(read) => read,
            Err(problem) => return problem.into_response(),
        };
        let path = head.uri.path_and_query().cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let places = &self.places[service as usize];
        let _place = match places.take(&head.method, &path, &mut head.headers, who) {
            Ok(place) => place,
            Err(none) => return no_place(service.name(), none).into_response(),
        };
        let request = Request::from_parts(head, Body::from(body));
        match tokio::time::timeout(self.policy.deadline, next.run(request)).await {
            Ok(answer) => answer,
            Err(_) => unanswered(service.name(), !is_read).into_response(),
        }
    }
}

/// What a stranger's request passes on its way to a route.
struct Way {
    guard: Arc<Guard>,
    services: LocalServices,
}

async fn pass(State(way): State<Arc<Way>>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let route = head.extensions.get::<MatchedPath>().cloned();
    let asked = Asked::begin(&head, route.as_ref().map(MatchedPath::as_str));
    head.extensions.insert(RequestId(asked.id().to_owned()));
    heard_out(asked, (head, body), async |head, body| {
        let on = async |mut head: Parts, principal: &Arc<_>, from| {
            head.extensions.insert(Arc::clone(principal));
            let who = Who { principal: Some(principal), from };
            way.services.hand_on(head, (body, who), next).await
        };
        way.guard.let_in(head, on).await
    })
    .await
}

async fn hand_on(State(services): State<LocalServices>, request: Request, next: Next) -> Response {
    let (head, mut body) = request.into_parts();
    let principal = head.extensions.get::<Arc<Principal>>().cloned();
    let who = Who { principal: principal.as_deref(), from: None };
    services.hand_on(head, (&mut body, who), next).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Extension;
    use axum::body::Bytes;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use futures::StreamExt as _;
    use serde_json::Value;
    use service_kit::http::REQUEST_ID;
    use tower::ServiceExt as _;

    use super::*;
    use crate::limits::{Limit, Rate};

    const POLICY: Policy = Policy { deadline: Duration::from_secs(35), most_in_flight: 2 };

    fn platform() -> Router {
        platform_for(Limit::Off)
    }

    /// Where an address may ask so much.
    fn platform_for(strangers: Limit) -> Router {
        let router = Router::new()
            .route("/v1/orders", get(std::future::pending::<()>))
            .route("/v1/orders/o-1/cancel", post(std::future::pending::<()>))
            .route("/v1/stock/mug/receive", post(|| async { "received" }))
            .route("/v1/sagas", get(|_: Extension<Arc<Principal>>| async { "sagas" }));
        LocalServices::new(POLICY).behind(&Guarding::of_strangers(strangers), router)
    }

    async fn ask(router: &Router, method: Method, path: &str, body: Body) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_comes_passes_with_its_id_its_limits_and_who_it_is_of_to_a_route_or_hears_that_there_is_none()
     {
        let router = platform_for(Limit::At(Rate::new(1, 3)));
        let ask = async |method: Method, path: &str| {
            let request = Request::builder().method(method).uri(path).header(REQUEST_ID, "mine");
            let request = request.body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.headers()[REQUEST_ID], "mine");
            assert!(answer.headers().contains_key("ratelimit"), "{path}");
            let status = answer.status();
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            (status.as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null))
        };
        assert_eq!(ask(Method::GET, "/v1/sagas").await, (200, Value::Null));
        for (method, path, status) in [
            (Method::GET, "/v1/nothing", 404),
            (Method::DELETE, "/v1/sagas", 405),
            (Method::GET, "/v1/sagas", 429),
        ] {
            let (told, problem) = ask(method, path).await;
            assert_eq!((told, &problem["request_id"]), (status, &"mine".into()), "{problem}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_has_all_that_it_may_have_refuses_and_the_others_do_not() {
        let router = platform();
        let held = (0..2).map(|_| {
            let router = router.clone();
            tokio::spawn(
                async move { ask(&router, Method::GET, "/v1/orders", Body::empty()).await },
            )
        });
        let held: Vec<_> = held.collect();
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (status, body) = ask(&router, Method::GET, "/v1/orders", Body::empty()).await;
        assert!(status == 503 && body.contains("overloaded"), "{status} {body}");
        assert_eq!(ask(&router, Method::GET, "/v1/sagas", Body::empty()).await.0, 200);
        for held in held {
            let (status, body) = held.await.unwrap();
            assert!(status == 503 && body.contains("\"unavailable\""), "{status} {body}");
        }
        let (status, body) =
            ask(&router, Method::POST, "/v1/orders/o-1/cancel", Body::empty()).await;
        assert!(status == 503 && body.contains("outcome_unknown"), "{status} {body}");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_keep_out_nobody() {
        let router = platform();
        let waits = || {
            let asks = Request::post("/v1/orders/o-1/cancel").header("prefer", "wait=30");
            tokio::spawn(router.clone().oneshot(asks.body(Body::empty()).unwrap()))
        };
        let _waiting: Vec<_> = (0..POLICY.most_in_flight).map(|_| waits()).collect();
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (status, body) =
            ask(&router, Method::POST, "/v1/stock/mug/receive", Body::empty()).await;
        assert!(status == 200 && body == "received", "{status} {body}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_byte_by_byte_has_an_end_and_holds_no_place() {
        let drip = || {
            futures::stream::repeat(Bytes::from_static(b" ")).then(async |byte| {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, std::io::Error>(byte)
            })
        };
        let begun = tokio::time::Instant::now();
        let router = platform();
        let slow = (0..POLICY.most_in_flight).map(|_| {
            let (router, body) = (router.clone(), Body::from_stream(drip()));
            tokio::spawn(async move { ask(&router, Method::POST, "/v1/orders", body).await })
        });
        let slow: Vec<_> = slow.collect();
        tokio::time::sleep(Duration::from_secs(1)).await;
        // None of them holds a place meanwhile.
        let (status, body) = ask(&router, Method::POST, "/v1/orders", Body::from("{}")).await;
        assert!(status == 405, "{status} {body}");
        for slow in slow {
            let (status, body) = slow.await.unwrap();
            assert!(status == 408 && body.contains("request_timeout"), "{status} {body}");
        }
        // It was read for a while, and its client was heard out for another.
        assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    }
}

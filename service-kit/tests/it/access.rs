//! A route that says what it needs.

use std::sync::Arc;

use access::{Action, Principal};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use service_kit::access::{Access, Caller, Needs};
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[utoipa::path(get, path = "/things", responses((status = 200)))]
async fn things(caller: Caller) -> String {
    format!("{:?} {:?}", caller.confined_to(), caller.name())
}

fn routes() -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(things).needs(Action::ReadOrders))
}

async fn ask(router: Router) -> StatusCode {
    let request = Request::get("/things").body(Body::empty()).unwrap();
    service_kit::http::finish(router).oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn a_route_behind_no_guard_does_nothing() {
    assert_eq!(ask(routes().split_for_parts().0).await, StatusCode::INTERNAL_SERVER_ERROR);
    let unsaid = OpenApiRouter::new().routes(routes!(things));
    let unsaid = Access::open().guard(unsaid).split_for_parts().0;
    assert_eq!(
        ask(unsaid).await,
        StatusCode::INTERNAL_SERVER_ERROR,
        "it does not say what it needs"
    );
}

#[tokio::test]
async fn what_stands_behind_an_entrance_asks_nobody_again_and_does_nothing_for_whom_that_did_not_let_in()
 {
    let behind = Access::open().behind_an_entrance();
    assert!(behind.is_open());
    let router = behind.guard(routes()).split_for_parts().0;
    assert_eq!(ask(router.clone()).await, StatusCode::INTERNAL_SERVER_ERROR);
    let let_in = router.layer(axum::Extension(Arc::new(Principal::Open)));
    assert_eq!(ask(let_in).await, StatusCode::OK);
}

#[tokio::test]
async fn where_nobody_is_asked_everybody_may_and_the_description_says_what_it_would_need() {
    let (router, described) = Access::open().guard(routes()).split_for_parts();
    assert_eq!(ask(router).await, StatusCode::OK);
    let described = serde_json::to_value(described).unwrap();
    let operation = &described["paths"]["/things"]["get"];
    assert_eq!(operation["x-docket-access"]["roles"]["customer"], "own", "{operation}");
    assert!(operation.get("security").is_none(), "{operation}");
}

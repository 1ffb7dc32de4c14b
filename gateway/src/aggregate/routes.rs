//! The routes of these answers, and their description.

use access::Action;
use service_kit::access::{Access, Needs};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::Behind;
use super::{dashboard, overview};

#[derive(OpenApi)]
#[openapi(tags((name = "Overviews", description = "Answers that several services have a part in.")))]
struct Described;

/// The routes, without the `/v1` that stands before them.
pub fn aggregates(behind: Behind, access: &Access) -> OpenApiRouter {
    let router = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(dashboard::dashboard).needs(Action::ReadCustomer))
        .routes(routes!(overview::overview).needs(Action::ReadOverview))
        .with_state(behind);
    access.guard(router)
}

/// Only their description, with `/v1` before them.
pub fn aggregates_described(access: &Access) -> utoipa::openapi::OpenApi {
    let behind = Behind::Local(axum::Router::new());
    OpenApiRouter::new().nest("/v1", aggregates(behind, access)).to_openapi()
}

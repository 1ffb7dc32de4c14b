//! The routes.

use access::Action;
use service_kit::access::{Access, Needs};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::Api;
use super::{explain_saga, get_saga, list_sagas, resolve_saga, retry_saga};

#[derive(OpenApi)]
#[openapi(tags(
    (name = "Sagas", description = "What carries an order, a cancellation or a return through to its end: look, understand, retry, resolve.")
))]
struct Described;

/// Every route of the sagas, without `/v1`.
pub(crate) fn router(api: Api, access: &Access) -> OpenApiRouter {
    let router = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(list_sagas::list_sagas).needs(Action::ReadSagas))
        .routes(routes!(get_saga::get_saga).needs(Action::ReadSagas))
        .routes(routes!(explain_saga::explain_saga).needs(Action::ReadSagas))
        .routes(routes!(retry_saga::retry_saga).needs(Action::OperateSagas))
        .routes(routes!(resolve_saga::resolve_saga).needs(Action::OperateSagas))
        .with_state(api);
    access.guard(router)
}

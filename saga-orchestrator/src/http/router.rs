//! The routes.

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
pub(crate) fn router(api: Api) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(list_sagas::list_sagas))
        .routes(routes!(get_saga::get_saga))
        .routes(routes!(explain_saga::explain_saga))
        .routes(routes!(retry_saga::retry_saga))
        .routes(routes!(resolve_saga::resolve_saga))
        .with_state(api)
}

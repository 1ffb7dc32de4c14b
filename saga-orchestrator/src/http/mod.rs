//! The API of sagas: look, understand, retry, resolve. Parsing and answering only.

mod act;
mod answers;
mod api;
mod explain_saga;
mod get_saga;
mod list_sagas;
mod resolve_saga;
mod retry_saga;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use answers::{ActedSaga, SagaItem};
pub(crate) use api::Api;

pub(crate) fn router(api: Api) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_sagas::list_sagas))
        .routes(routes!(get_saga::get_saga))
        .routes(routes!(explain_saga::explain_saga))
        .routes(routes!(retry_saga::retry_saga))
        .routes(routes!(resolve_saga::resolve_saga))
        .with_state(api)
}

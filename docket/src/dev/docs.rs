//! `/openapi.json`, `/docs` that works offline, and the pages of the error codes.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;
use service_kit::problem::{Code, Problem};
use utoipa::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

/// The frame that the services' descriptions are put into.
#[derive(OpenApi)]
#[openapi(info(
    title = "Docket",
    description = "An event-sourced order platform. `POST` is a command and needs an `Idempotency-Key`; \
        `GET` reads a model and says its position in `Docket-Position`. Errors are `application/problem+json` \
        with a stable `code`, explained under `/docs/errors/{code}`. Amounts are integers in minor units."
))]
pub(crate) struct Frame;

/// The pages of the error codes, compiled in.
#[derive(RustEmbed)]
#[folder = "../docs/errors"]
struct ErrorPages;

/// Everything that explains the API.
pub(crate) fn router(api: utoipa::openapi::OpenApi) -> Router {
    Router::new()
        .route("/docs/errors/{code}", get(error_page))
        .merge(SwaggerUi::new("/docs").url("/openapi.json", api))
}

async fn error_page(Path(code): Path<String>) -> Response {
    match ErrorPages::get(&format!("{code}.md")) {
        Some(page) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (StatusCode::OK, kind, page.data).into_response()
        }
        None => Problem::from(Code::NotFound).detail(format!("no code `{code}`")).into_response(),
    }
}

//! The routes.

use access::Action;
use service_kit::access::{Access, Needs};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::Streams;
use super::{event_stream, order_stream};

#[derive(OpenApi)]
#[openapi(tags(
    (name = "Streams", description = "Public events as they happen, for browsers.")
))]
struct Described;

/// Every route of streams, without `/v1`.
pub(crate) fn router(streams: Streams, access: &Access) -> OpenApiRouter {
    let router = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(order_stream::stream_order).needs(Action::ReadOrders))
        .routes(routes!(event_stream::stream_events).needs(Action::StreamEvents))
        .with_state(streams);
    access.guard(router)
}

//! All endpoints of this service, without the `/v1` that stands before them.

use utoipa_axum::router::OpenApiRouter;

use super::app::App;
use super::{customers, events, ledger, orders, products, shipments, stock};

/// The endpoints, and their description.
pub(crate) fn router(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .merge(products::router())
        .merge(stock::router())
        .merge(customers::router())
        .merge(orders::router())
        .merge(shipments::router())
        .merge(events::router())
        .merge(ledger::router())
        .with_state(app)
}

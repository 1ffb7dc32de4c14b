//! All endpoints of this service, without the `/v1` that stands before them.

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::accepted::Accepted;
use super::app::App;
use super::dead_letters::{self, LetterDesk};
use super::{customers, events, ledger, orders, products, shipments, stock};
use crate::payments::simulator::Ledger;

/// The schemas that only responses name: those are not gathered with the routes.
#[derive(OpenApi)]
#[openapi(components(schemas(Accepted)))]
struct Answers;

/// The endpoints, and their description.
pub(crate) fn router(app: App, simulated: Option<Ledger>, letters: LetterDesk) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Answers::openapi())
        .merge(products::router())
        .merge(stock::router())
        .merge(customers::router())
        .merge(orders::router())
        .merge(shipments::router())
        .merge(events::router())
        .with_state(app)
        .merge(ledger::router(simulated))
        .merge(dead_letters::router(letters))
}

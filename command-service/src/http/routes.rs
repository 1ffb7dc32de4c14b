//! All endpoints of this service, without the `/v1` that stands before them.

use service_kit::access::Access;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::accepted::Accepted;
use super::app::App;
use super::dead_letters::{self, LetterDesk};
use super::{customers, events, ledger, orders, products, shipments, stock};
use crate::payments::simulator::Ledger;

/// The groups of routes, and the schemas that only responses name: those are not gathered with the routes.
#[derive(OpenApi)]
#[openapi(
    components(schemas(Accepted)),
    tags(
        (name = "Products", description = "What is sold, and for how much."),
        (name = "Stock", description = "Units that came in, and corrections of the count."),
        (name = "Customers", description = "Who buys; their personal data can be erased."),
        (name = "Orders", description = "Orders and drafts, from placing to cancelling and sending back."),
        (name = "Shipments", description = "Parcels of an order that leave the house and arrive."),
        (name = "Events", description = "The log itself, as it stands."),
        (name = "Dead letters", description = "Messages between the services that nobody could carry out."),
        (name = "Simulator", description = "The simulated payment provider's own book, for development.")
    )
)]
struct Described;

/// The endpoints, and their description.
pub(crate) fn router(
    app: App,
    simulated: Option<Ledger>,
    letters: LetterDesk,
    access: &Access,
) -> OpenApiRouter {
    let router = OpenApiRouter::with_openapi(Described::openapi())
        .merge(products::router())
        .merge(stock::router())
        .merge(customers::router())
        .merge(orders::router())
        .merge(shipments::router())
        .merge(events::router())
        .with_state(app)
        .merge(ledger::router(simulated))
        .merge(dead_letters::router(letters));
    access.guard(router)
}

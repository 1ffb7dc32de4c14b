//! All queries, without a prefix.

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    App, customers, decide, orders, parking, payments, products, projections, rebuild,
    sales_report, shipments, stock,
};

#[derive(OpenApi)]
#[openapi(tags(
    (name = "Queries", description = "Reads of the models; each answer says from which position of the log it is."),
    (name = "Projections", description = "What folds the log into the models: how far each is, rebuild, switch, roll back.")
))]
struct Described;

/// Every query, without a prefix.
pub fn router(app: App) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(orders::list_orders))
        .routes(routes!(orders::get_order))
        .routes(routes!(products::list_products))
        .routes(routes!(products::get_product))
        .routes(routes!(stock::list_stock))
        .routes(routes!(stock::get_stock))
        .routes(routes!(customers::list_customers))
        .routes(routes!(customers::get_customer))
        .routes(routes!(payments::list_payments))
        .routes(routes!(payments::get_payment))
        .routes(routes!(shipments::list_shipments))
        .routes(routes!(shipments::get_shipment))
        .routes(routes!(sales_report::sales_report))
        .routes(routes!(projections::list_projections))
        .routes(routes!(projections::get_projection))
        .routes(routes!(parking::park_key))
        .routes(routes!(parking::replay_key))
        .routes(routes!(rebuild::rebuild_projection))
        .routes(routes!(decide::roll_back_projection))
        .routes(routes!(decide::switch_projection))
        .routes(routes!(decide::drop_generation))
        .with_state(app)
}

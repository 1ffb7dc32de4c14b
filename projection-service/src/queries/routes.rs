//! All queries, without a prefix.

use access::Action;
use service_kit::access::{Access, Needs};
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
pub fn router(app: App, access: &Access) -> OpenApiRouter {
    let router = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(orders::list_orders).needs(Action::ReadOrders))
        .routes(routes!(orders::get_order).needs(Action::ReadOrders))
        .routes(routes!(products::list_products).needs(Action::ReadCatalog))
        .routes(routes!(products::get_product).needs(Action::ReadCatalog))
        .routes(routes!(stock::list_stock).needs(Action::ReadStock))
        .routes(routes!(stock::get_stock).needs(Action::ReadStock))
        .routes(routes!(customers::list_customers).needs(Action::ListCustomers))
        .routes(routes!(customers::get_customer).needs(Action::ReadCustomer))
        .routes(routes!(payments::list_payments).needs(Action::ReadPayments))
        .routes(routes!(payments::get_payment).needs(Action::ReadPayments))
        .routes(routes!(shipments::list_shipments).needs(Action::ReadShipments))
        .routes(routes!(shipments::get_shipment).needs(Action::ReadShipments))
        .routes(routes!(sales_report::sales_report).needs(Action::ReadReports))
        .routes(routes!(projections::list_projections).needs(Action::ReadProjections))
        .routes(routes!(projections::get_projection).needs(Action::ReadProjections))
        .routes(routes!(parking::park_key).needs(Action::OperateProjections))
        .routes(routes!(parking::replay_key).needs(Action::OperateProjections))
        .routes(routes!(rebuild::rebuild_projection).needs(Action::OperateProjections))
        .routes(routes!(decide::roll_back_projection).needs(Action::OperateProjections))
        .routes(routes!(decide::switch_projection).needs(Action::OperateProjections))
        .routes(routes!(decide::drop_generation).needs(Action::OperateProjections))
        .with_state(app);
    access.guard(router)
}

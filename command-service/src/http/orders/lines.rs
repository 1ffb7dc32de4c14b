//! `POST /orders/{id}/lines`, `/orders/{id}/lines/{line}/quantity`, `/orders/{id}/lines/{line}/remove`: a draft's lines.

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{OrderId, Sku};
use domain::orders::{AddLine, ChangeQuantity, RemoveLine, WantedLine};
use domain::text::Quantity;
use serde::{Deserialize, Serialize};
use service_kit::access::Needs;
use service_kit::business_time::BusinessTime;
use service_kit::described::PathId;
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::accepted::{Changed, Created};
use crate::http::answers;
use crate::http::app::App;
use crate::http::asked::CommandHeaders;
use crate::http::body::{LinePrice, TimeBody};
use crate::http::described::KnownId;
use crate::http::problems::Problems;
use crate::http::told::{CommandBody, Told, command_bodies};
use crate::http::whose::OfOrder;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(add_line).needs(Action::ChangeOrder))
        .routes(routes!(change_quantity).needs(Action::ChangeOrder))
        .routes(routes!(remove_line).needs(Action::ChangeOrder))
}

command_bodies! { ChangeQuantityBody }

impl CommandBody for AddLineBody {
    fn occurred_at(&self) -> Option<BusinessTime> {
        self.occurred_at
    }

    fn price_at(&self) -> Option<String> {
        self.unit_price.as_ref().map(|_| "/unit_price".to_owned())
    }
}

/// A line to be added.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "sku": "22423", "quantity": 1 }))]
struct AddLineBody {
    /// The product.
    #[schema(value_type = KnownId)]
    sku: Sku,
    /// How many units.
    #[schema(value_type = u32, minimum = 1, maximum = 1_000_000_000)]
    quantity: Quantity,
    /// A price agreed for this line; the catalog's when absent.
    #[serde(default)]
    unit_price: Option<LinePrice>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Add a line to a draft
#[utoipa::path(post, path = "/orders/{id}/lines", tag = "Orders",
    params(("id" = inline(PathId), Path), CommandHeaders), request_body = AddLineBody,
    responses(Created, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn add_line(
    State(app): State<App>,
    OfOrder(order_id): OfOrder<OrderId>,
    told: Told<AddLineBody>,
) -> Result<Response, Problem> {
    let AddLineBody { sku, quantity, unit_price, .. } = &told.body;
    let made = async {
        let unit_price = match unit_price {
            Some(price @ LinePrice::Minor(_)) => {
                Some(price.money(app.begun(&order_id).await?.currency))
            }
            Some(LinePrice::Money(price)) => Some(price.money()),
            None => None,
        };
        let line = WantedLine { sku: sku.clone(), quantity: *quantity, unit_price };
        Ok(AddLine { order_id, line })
    };
    told.run_made(&app, made, answers::line_added).await
}

/// A new quantity.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "quantity": 3 }))]
struct ChangeQuantityBody {
    /// How many units.
    #[schema(value_type = u32, minimum = 1, maximum = 1_000_000_000)]
    quantity: Quantity,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Change the quantity of a draft's line
#[utoipa::path(post, path = "/orders/{id}/lines/{line}/quantity", tag = "Orders",
    params(("id" = inline(PathId), Path), ("line" = u32, Path, maximum = 4_294_967_295_i64), CommandHeaders),
    request_body = ChangeQuantityBody, responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id, line))]
async fn change_quantity(
    State(app): State<App>,
    OfOrder((order_id, line)): OfOrder<(OrderId, u32)>,
    told: Told<ChangeQuantityBody>,
) -> Result<Response, Problem> {
    let command = ChangeQuantity { order_id, line, quantity: told.body.quantity };
    told.run(&app, command, answers::changed).await
}

/// Take a line out of a draft
#[utoipa::path(post, path = "/orders/{id}/lines/{line}/remove", tag = "Orders",
    params(("id" = inline(PathId), Path), ("line" = u32, Path, maximum = 4_294_967_295_i64), CommandHeaders),
    request_body = Option<TimeBody>, responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id, line))]
async fn remove_line(
    State(app): State<App>,
    OfOrder((order_id, line)): OfOrder<(OrderId, u32)>,
    told: Told<TimeBody>,
) -> Result<Response, Problem> {
    let command = RemoveLine { order_id, line };
    told.run(&app, command, answers::changed).await
}

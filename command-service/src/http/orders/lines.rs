//! `POST /orders/{id}/lines`, `/orders/{id}/lines/{line}/quantity`, `/orders/{id}/lines/{line}/remove`: a draft's lines.

use axum::extract::State;
use axum::response::Response;
use domain::event::Event;
use domain::ids::{OrderId, Sku};
use domain::money::Currency;
use domain::orders::{AddLine, ChangeQuantity, OrderEvent, RemoveLine, WantedLine};
use domain::refusal::Refusal;
use domain::stream::Stream;
use domain::text::Quantity;
use serde::{Deserialize, Serialize};
use service_kit::business_time::BusinessTime;
use service_kit::described::PathId;
use service_kit::extract::PathParams;
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::codec;
use crate::http::accepted::{Changed, Created};
use crate::http::answers;
use crate::http::app::App;
use crate::http::asked::CommandHeaders;
use crate::http::body::{LinePrice, TimeBody};
use crate::http::described::KnownId;
use crate::http::problems::{Problems, refused};
use crate::http::told::{Told, command_bodies};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(add_line))
        .routes(routes!(change_quantity))
        .routes(routes!(remove_line))
}

command_bodies! { AddLineBody, ChangeQuantityBody }

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
    PathParams(order_id): PathParams<OrderId>,
    told: Told<AddLineBody>,
) -> Result<Response, Problem> {
    let AddLineBody { sku, quantity, unit_price, .. } = &told.body;
    let made = async {
        let unit_price = match unit_price {
            Some(price @ LinePrice::Minor(_)) => {
                Some(price.money(currency(&app, &order_id).await?))
            }
            Some(LinePrice::Money(price)) => Some(price.money()),
            None => None,
        };
        let line = WantedLine { sku: sku.clone(), quantity: *quantity, unit_price };
        Ok(AddLine { order_id, line })
    };
    told.run_made(&app, made, answers::line_added).await
}

/// The currency of an order: its first event says it, and nothing changes it.
async fn currency(app: &App, order_id: &OrderId) -> Result<Currency, Problem> {
    let stream = codec::stream_id(&Stream::Order(order_id.clone()));
    let first = app.log.read_stream(&stream, 0, 1).await;
    let first = first.map_err(|error| app.unreadable_log(&error))?;
    let currency = first.first().and_then(|first| match codec::decode(first) {
        Ok(Event::Order(OrderEvent::DraftCreated(draft))) => Some(draft.currency),
        Ok(Event::Order(OrderEvent::OrderPlaced(order))) => Some(order.currency),
        Ok(_) | Err(_) => None,
    });
    currency.ok_or_else(|| refused(&Refusal::OrderNotFound { order_id: order_id.clone() }))
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
    PathParams((order_id, line)): PathParams<(OrderId, u32)>,
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
    PathParams((order_id, line)): PathParams<(OrderId, u32)>,
    told: Told<TimeBody>,
) -> Result<Response, Problem> {
    let command = RemoveLine { order_id, line };
    told.run(&app, command, answers::changed).await
}

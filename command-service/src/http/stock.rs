//! `POST /stock/{sku}/receive`, `/stock/{sku}/adjust`

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::given::Given;
use domain::ids::Sku;
use domain::inventory::{AdjustStock, ReceiveStock};
use domain::text::{Quantity, Reason};
use serde::{Deserialize, Serialize};
use service_kit::access::Needs;
use service_kit::business_time::BusinessTime;
use service_kit::described::{LongText, PathId};
use service_kit::extract::PathParams;
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accepted::Changed;
use super::answers;
use super::app::App;
use super::asked::CommandHeaders;
use super::problems::Problems;
use super::told::{Told, command_bodies};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(receive_stock).needs(Action::WriteStock))
        .routes(routes!(adjust_stock).needs(Action::WriteStock))
}

command_bodies! { AdjustStockBody }
command_bodies! { ReceiveStockBody that may say why }

/// Units that arrived.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "quantity": 10, "reason": "delivery note 4711" }))]
struct ReceiveStockBody {
    /// How many units.
    #[schema(value_type = u32, minimum = 1, maximum = 1_000_000_000)]
    quantity: Quantity,
    /// Why, in a person's words; no personal data: it is kept when a person is erased. Staff (`support`, `operator`) have to say it.
    // Without it a body is what it was when it could not be said, so that a repeat of such a request is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LongText>)]
    reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Receive units into stock
#[utoipa::path(post, path = "/stock/{sku}/receive", tag = "Stock",
    params(("sku" = inline(PathId), Path), CommandHeaders), request_body = ReceiveStockBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(%sku))]
async fn receive_stock(
    State(app): State<App>,
    PathParams(sku): PathParams<Sku>,
    told: Told<ReceiveStockBody>,
) -> Result<Response, Problem> {
    let quantity = told.body.quantity;
    let made = async { Ok(ReceiveStock { sku, quantity, reason: told.why_of_staff()? }) };
    told.run_made(&app, made, answers::changed).await
}

/// A correction of the count.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "delta": -1, "reason": "broken in the house" }))]
struct AdjustStockBody {
    /// Units to add or, negative, to take away; not 0.
    delta: i64,
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    reason: Given<Reason>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Correct the count of a SKU
#[utoipa::path(post, path = "/stock/{sku}/adjust", tag = "Stock",
    params(("sku" = inline(PathId), Path), CommandHeaders), request_body = AdjustStockBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(%sku))]
async fn adjust_stock(
    State(app): State<App>,
    PathParams(sku): PathParams<Sku>,
    told: Told<AdjustStockBody>,
) -> Result<Response, Problem> {
    let (delta, reason) = (told.body.delta, told.body.reason.value());
    let command = AdjustStock { sku, delta, reason };
    told.run(&app, command, answers::changed).await
}

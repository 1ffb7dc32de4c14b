//! `POST /products`, `/products/{sku}/price`, `/products/{sku}/name`, `/products/{sku}/discontinue`

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::catalog::{ChangePrice, DiscontinueProduct, RegisterProduct, RenameProduct};
use domain::given::Given;
use domain::ids::Sku;
use domain::text::{Label, Reason};
use serde::{Deserialize, Serialize};
use service_kit::access::Needs;
use service_kit::business_time::BusinessTime;
use service_kit::described::{LongText, PathId, ShortText};
use service_kit::extract::PathParams;
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accepted::{Changed, Created};
use super::answers;
use super::app::App;
use super::asked::CommandHeaders;
use super::body::PriceBody;
use super::described::ChosenId;
use super::problems::Problems;
use super::told::{Told, command_bodies};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register_product).needs(Action::WriteCatalog))
        .routes(routes!(change_price).needs(Action::WriteCatalog))
        .routes(routes!(rename_product).needs(Action::WriteCatalog))
        .routes(routes!(discontinue_product).needs(Action::WriteCatalog))
}

command_bodies! { RegisterProductBody }
command_bodies! { ChangePriceBody that may say why, RenameProductBody that may say why }
command_bodies! { DiscontinueProductBody with a reason }

/// A product to be sold.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "sku": "22423", "name": "Cakestand", "unit_price": { "amount": 1275, "currency": "GBP" }, "stocked": true
}))]
struct RegisterProductBody {
    /// The stock keeping unit; case matters.
    #[schema(value_type = ChosenId)]
    sku: Given<Sku>,
    /// What people call it.
    #[schema(value_type = ShortText)]
    name: Given<Label>,
    /// The catalog price of one unit.
    unit_price: PriceBody,
    /// Whether units of it are kept in stock.
    stocked: bool,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Register a product
#[utoipa::path(post, path = "/products", tag = "Products", params(CommandHeaders),
    request_body = RegisterProductBody, responses(Created, Problems))]
#[tracing::instrument(skip_all, fields(sku = %told.body.sku.get()))]
async fn register_product(
    State(app): State<App>,
    told: Told<RegisterProductBody>,
) -> Result<Response, Problem> {
    let command = RegisterProduct {
        sku: told.body.sku.value(),
        name: told.body.name.value(),
        unit_price: told.body.unit_price.money(),
        stocked: told.body.stocked,
    };
    told.run(&app, command, answers::created).await
}

/// A new catalog price.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "unit_price": { "amount": 1350, "currency": "GBP" }, "reason": "the supplier asks for more" }))]
struct ChangePriceBody {
    /// The new price of one unit; orders already placed keep theirs.
    unit_price: PriceBody,
    /// Why, in a person's words; no personal data: it is kept when a person is erased. Staff (`support`, `operator`) have to say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LongText>)]
    reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Change a product's price
#[utoipa::path(post, path = "/products/{sku}/price", tag = "Products",
    params(("sku" = inline(PathId), Path), CommandHeaders), request_body = ChangePriceBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(%sku))]
async fn change_price(
    State(app): State<App>,
    PathParams(sku): PathParams<Sku>,
    told: Told<ChangePriceBody>,
) -> Result<Response, Problem> {
    let unit_price = told.body.unit_price.money();
    let made = async { Ok(ChangePrice { sku, unit_price, reason: told.why_of_staff()? }) };
    told.run_made(&app, made, answers::changed).await
}

/// A new name.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Regency Cakestand", "reason": "as the supplier calls it" }))]
struct RenameProductBody {
    /// What people call it now.
    #[schema(value_type = ShortText)]
    name: Given<Label>,
    /// Why, in a person's words; no personal data: it is kept when a person is erased. Staff (`support`, `operator`) have to say it.
    // Without it a body is what it was when it could not be said, so that a repeat of such a request is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LongText>)]
    reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Change a product's name
#[utoipa::path(post, path = "/products/{sku}/name", tag = "Products",
    params(("sku" = inline(PathId), Path), CommandHeaders), request_body = RenameProductBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(%sku))]
async fn rename_product(
    State(app): State<App>,
    PathParams(sku): PathParams<Sku>,
    told: Told<RenameProductBody>,
) -> Result<Response, Problem> {
    let name = told.body.name.value();
    let made = async { Ok(RenameProduct { sku, name, reason: told.why_of_staff()? }) };
    told.run_made(&app, made, answers::changed).await
}

/// Why a product is to be sold no more.
#[derive(Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the supplier makes it no more" }))]
struct DiscontinueProductBody {
    /// Why, in a person's words; no personal data: it is kept when a person is erased. It stands in the event.
    // Without it a body is what it was when it could not be said, so that a repeat of such a request is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = LongText, required)]
    reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Sell a product no more
#[utoipa::path(post, path = "/products/{sku}/discontinue", tag = "Products",
    params(("sku" = inline(PathId), Path), CommandHeaders), request_body = DiscontinueProductBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(%sku))]
async fn discontinue_product(
    State(app): State<App>,
    PathParams(sku): PathParams<Sku>,
    told: Told<DiscontinueProductBody>,
) -> Result<Response, Problem> {
    let made = async { Ok(DiscontinueProduct { sku, reason: Some(told.why()?) }) };
    told.run_made(&app, made, answers::changed).await
}

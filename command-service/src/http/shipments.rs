//! `POST /shipments/{id}/ship`, `/shipments/{id}/deliver`

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::given::Given;
use domain::ids::ShipmentId;
use domain::shipping::{MarkDelivered, MarkShipped};
use domain::text::Label;
use serde::{Deserialize, Serialize};
use service_kit::access::Needs;
use service_kit::business_time::BusinessTime;
use service_kit::described::{DerivedPathId, ShortText};
use service_kit::extract::PathParams;
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accepted::Changed;
use super::answers;
use super::app::App;
use super::asked::CommandHeaders;
use super::body::{LineBody, TimeBody, line_quantities};
use super::cause::Cause;
use super::problems::Problems;
use super::told::{Told, command_bodies};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ship).needs(Action::MoveShipment))
        .routes(routes!(deliver).needs(Action::MoveShipment))
}

command_bodies! { ShipBody }

/// A parcel that left the house.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "carrier": "Royal Mail", "tracking": "RM123456789GB" }))]
struct ShipBody {
    /// Who carries it.
    #[schema(value_type = ShortText)]
    carrier: Given<Label>,
    /// The carrier's tracking number; it is kept when a person is erased.
    #[schema(value_type = ShortText)]
    tracking: Given<Label>,
    /// What is in it; all when absent. The rest moves to a new shipment.
    #[serde(default)]
    lines: Option<Vec<LineBody>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Mark a shipment, or a part of it, as shipped
#[utoipa::path(post, path = "/shipments/{id}/ship", tag = "Shipments",
    params(("id" = inline(DerivedPathId), Path), CommandHeaders), request_body = ShipBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(shipment.id = %shipment_id))]
async fn ship(
    State(app): State<App>,
    PathParams(shipment_id): PathParams<ShipmentId>,
    told: Told<ShipBody>,
) -> Result<Response, Problem> {
    let made = async {
        app.check_cause(told.occurred_at(), Cause::Parcel(&shipment_id)).await?;
        let lines = told.body.lines.as_deref().map(line_quantities).transpose()?;
        let (carrier, tracking) = (told.body.carrier.value(), told.body.tracking.value());
        Ok(MarkShipped { shipment_id: shipment_id.clone(), carrier, tracking, lines })
    };
    told.run_made(&app, made, answers::changed).await
}

/// Mark a shipment as delivered
#[utoipa::path(post, path = "/shipments/{id}/deliver", tag = "Shipments",
    params(("id" = inline(DerivedPathId), Path), CommandHeaders), request_body = Option<TimeBody>,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(shipment.id = %shipment_id))]
async fn deliver(
    State(app): State<App>,
    PathParams(shipment_id): PathParams<ShipmentId>,
    told: Told<TimeBody>,
) -> Result<Response, Problem> {
    let command = MarkDelivered { shipment_id: shipment_id.clone() };
    told.run_after(&app, Cause::Departure(&shipment_id), Ok(command), answers::changed).await
}

//! `GET /shipments`, `GET /shipments/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ids::ShipmentId;
use domain::refusal::Refusal;
use domain::shipping::ShipmentStatus;
use serde::{Deserialize, Serialize};
use service_kit::access::Caller;
use service_kit::described::{DerivedPathId, PositionText};
use service_kit::extract::{PathParams, QueryParams};
use service_kit::page::{Page, PageParams, Paging};
use service_kit::problem::Problem;
use service_kit::responses::{ItemProblems, ListProblems};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, not_found, read, word};
use super::app::App;
use super::reading::{MinPosition, Reading};
use crate::folds::shipments::ShipmentRow;
use crate::projectors::Projector;
use crate::storage::shipments::{self, Wanted};

/// What a shipment carries of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShipmentLineAnswer {
    /// The order's line.
    pub line: u32,
    /// What it is.
    pub sku: String,
    /// How many units.
    pub quantity: u32,
}

/// A shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShipmentAnswer {
    /// The shipment.
    pub id: String,
    /// The order.
    pub order_id: String,
    /// `pending`, `shipped`, `delivered` or `cancelled`.
    pub status: String,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's tracking number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking: Option<String>,
    /// What is in it.
    pub lines: Vec<ShipmentLineAnswer>,
    /// The version of its stream.
    pub version: u64,
}

impl From<ShipmentRow> for ShipmentAnswer {
    fn from(row: ShipmentRow) -> Self {
        let line = |line: &domain::shipping::ShipmentLine| ShipmentLineAnswer {
            line: line.line,
            sku: line.sku.as_str().to_owned(),
            quantity: line.quantity.get(),
        };
        Self {
            id: row.id.as_str().to_owned(),
            order_id: row.order_id.as_str().to_owned(),
            status: word(row.status),
            carrier: row.carrier,
            tracking: row.tracking,
            lines: row.lines.iter().map(line).collect(),
            version: row.version,
        }
    }
}

/// Which shipments are asked for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ShipmentFilter {
    /// Those of this order.
    #[param(min_length = 1, pattern = r"^[^\x00]+$")]
    pub order_id: Option<String>,
    /// Those that stand here: `pending`, `shipped`, `delivered` or `cancelled`.
    #[param(value_type = Option<String>, pattern = "^(pending|shipped|delivered|cancelled)$")]
    pub status: Option<ShipmentStatus>,
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pub limit: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
    /// Wait, at most 5 seconds, until the model has reached this position.
    #[param(inline, value_type = Option<PositionText>)]
    pub min_position: Option<String>,
}

/// Shipments, by id.
#[utoipa::path(get, path = "/shipments", tag = "Queries",
    params(ShipmentFilter),
    responses((status = 200, body = Page<ShipmentAnswer>), ListProblems))]
pub async fn list_shipments(
    State(app): State<App>,
    caller: Caller,
    QueryParams(filter): QueryParams<ShipmentFilter>,
) -> Result<Response, Problem> {
    let page = PageParams { limit: filter.limit, cursor: filter.cursor };
    let min = MinPosition { min_position: filter.min_position };
    let wanted = Wanted { order_id: filter.order_id, status: filter.status };
    let paging = Paging::<String>::parse(&page, "shipments", &wanted)?;
    let may_see = app.may_list_of(&caller, wanted.order_id.as_deref()).await?;
    let after = paging.after.as_deref().unwrap_or_default();
    let Reading { mut transaction, seen } = app.read(Projector::Shipments, &min, &caller).await?;
    let rows = read(shipments::page(&mut transaction, wanted, after, paging.one_more()).await)?;
    let rows = if may_see { rows } else { Vec::new() };
    let items = rows.into_iter().map(ShipmentAnswer::from).collect();
    Ok(Answer(seen, paging.cut(items, |last| last.id.clone())).into_response())
}

/// One shipment.
#[utoipa::path(get, path = "/shipments/{id}", tag = "Queries",
    params(("id" = inline(DerivedPathId), Path), MinPosition),
    responses((status = 200, body = ShipmentAnswer), ItemProblems))]
pub async fn get_shipment(
    State(app): State<App>,
    caller: Caller,
    PathParams(id): PathParams<ShipmentId>,
    QueryParams(min): QueryParams<MinPosition>,
) -> Result<Response, Problem> {
    let Reading { mut transaction, seen } =
        app.read_one(Projector::Shipments, id.as_str(), &min, &caller).await?;
    let found = read(shipments::find(&mut transaction, id.as_str()).await)?;
    let absent = || not_found(&Refusal::ShipmentNotFound { shipment_id: id.clone() });
    let row = found.ok_or_else(|| seen.absent_to(&caller, absent()))?;
    drop(transaction);
    if !app.may_see_of(&caller, row.order_id.as_str()).await? {
        return Err(absent());
    }
    Ok(Answer(seen, ShipmentAnswer::from(row)).into_response())
}

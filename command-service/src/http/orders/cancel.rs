//! `POST /orders/{id}/cancel`, `/orders/{id}/lines/cancel`

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::given::Given;
use domain::ids::OrderId;
use domain::orders::{CancelLines, CancelOrder};
use domain::text::Reason;
use serde::{Deserialize, Serialize};
use service_kit::access::Needs;
use service_kit::business_time::BusinessTime;
use service_kit::described::{LongText, PathId};
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::accepted::Changed;
use crate::http::answers;
use crate::http::app::App;
use crate::http::asked::CommandHeaders;
use crate::http::body::{LineBody, ReasonBody, line_quantities};
use crate::http::cause::Cause;
use crate::http::prefer::{PreferHeader, PreferWait};
use crate::http::problems::Problems;
use crate::http::told::{Told, command_bodies};
use crate::http::whose::OfOrder;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(cancel_order).needs(Action::CancelOrder))
        .routes(routes!(cancel_lines).needs(Action::CancelOrder))
}

/// Cancel all that is still open of an order
///
/// Staff (`support`, `operator`) have to say why.
#[utoipa::path(post, path = "/orders/{id}/cancel", tag = "Orders",
    params(("id" = inline(PathId), Path), CommandHeaders, PreferHeader), request_body = Option<ReasonBody>,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn cancel_order(
    State(app): State<App>,
    OfOrder(order_id): OfOrder<OrderId>,
    PreferWait(wait): PreferWait,
    told: Told<ReasonBody>,
) -> Result<Response, Problem> {
    let made = async {
        app.check_cause(told.occurred_at(), Cause::Order(&order_id)).await?;
        Ok(CancelOrder { order_id, reason: told.why_of_staff()? })
    };
    let outcome = told.carry_out(&app, made, answers::cancelled).await?;
    app.cancelled(outcome, wait).await
}

command_bodies! { CancelLinesBody that may say why }

/// Lines to be cancelled.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "lines": [{ "line": 1, "quantity": 1 }], "reason": "one is enough" }))]
struct CancelLinesBody {
    /// Which, and how many units.
    lines: Vec<LineBody>,
    /// Why, in a person's words; no personal data: it is kept when a person is erased. Staff (`support`, `operator`) have to say it.
    #[serde(default)]
    #[schema(value_type = Option<LongText>)]
    reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Cancel some units of an order
#[utoipa::path(post, path = "/orders/{id}/lines/cancel", tag = "Orders",
    params(("id" = inline(PathId), Path), CommandHeaders, PreferHeader), request_body = CancelLinesBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn cancel_lines(
    State(app): State<App>,
    OfOrder(order_id): OfOrder<OrderId>,
    PreferWait(wait): PreferWait,
    told: Told<CancelLinesBody>,
) -> Result<Response, Problem> {
    let made = async {
        app.check_cause(told.occurred_at(), Cause::Order(&order_id)).await?;
        let lines = line_quantities(&told.body.lines)?;
        Ok(CancelLines { order_id, lines, reason: told.why_of_staff()? })
    };
    let outcome = told.carry_out(&app, made, answers::cancelled).await?;
    app.cancelled(outcome, wait).await
}

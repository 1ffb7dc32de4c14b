//! `POST /orders/{id}/returns`, `/orders/{id}/returns/{return}/receive`

use axum::extract::State;
use axum::response::Response;
use domain::given::Given;
use domain::ids::{OrderId, ReturnId};
use domain::orders::{ReceiveReturn, RequestReturn};
use domain::text::Reason;
use serde::{Deserialize, Serialize};
use service_kit::business_time::BusinessTime;
use service_kit::extract::{JsonBody, PathParams};
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::accepted::{Changed, Created};
use crate::http::answers;
use crate::http::app::App;
use crate::http::asked::{Asked, CommandHeaders};
use crate::http::body::{LineBody, line_quantities};
use crate::http::problems::Problems;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(request_return)).routes(routes!(receive_return))
}

/// Lines to be sent back.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "lines": [{ "line": 1, "quantity": 1 }], "reason": "it arrived broken" }))]
struct RequestReturnBody {
    /// Which, and how many units.
    lines: Vec<LineBody>,
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Ask to send units back
#[utoipa::path(post, path = "/orders/{id}/returns", tag = "Orders",
    params(("id" = String, Path), CommandHeaders), request_body = RequestReturnBody,
    responses(Created, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn request_return(
    State(app): State<App>,
    PathParams(order_id): PathParams<OrderId>,
    asked: Asked,
    JsonBody(body): JsonBody<RequestReturnBody>,
) -> Result<Response, Problem> {
    let lines = line_quantities(&body.lines)?;
    let command = RequestReturn { order_id, lines, reason: body.reason.as_ref().map(Given::value) };
    asked.run(&app, &body, body.occurred_at, command, answers::return_requested).await
}

/// A return that arrived.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "restock": true }))]
struct ReceiveReturnBody {
    /// True when the units can be sold again, false when they are written off.
    restock: bool,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Receive a return
#[utoipa::path(post, path = "/orders/{id}/returns/{return}/receive", tag = "Orders",
    params(("id" = String, Path), ("return" = String, Path), CommandHeaders),
    request_body = ReceiveReturnBody, responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id, %return_id))]
async fn receive_return(
    State(app): State<App>,
    PathParams((order_id, return_id)): PathParams<(OrderId, ReturnId)>,
    asked: Asked,
    JsonBody(body): JsonBody<ReceiveReturnBody>,
) -> Result<Response, Problem> {
    let command = ReceiveReturn { order_id, return_id, restock: body.restock };
    asked.run(&app, &body, body.occurred_at, command, answers::changed).await
}

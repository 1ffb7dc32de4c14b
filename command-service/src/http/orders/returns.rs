//! `POST /orders/{id}/returns`, `/orders/{id}/returns/{return}/receive`

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::given::Given;
use domain::ids::{OrderId, ReturnId};
use domain::orders::{ReceiveReturn, RequestReturn};
use domain::text::Reason;
use serde::{Deserialize, Serialize};
use service_kit::access::Needs;
use service_kit::business_time::BusinessTime;
use service_kit::described::{DerivedPathId, LongText, PathId};
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::accepted::{self, Changed, Created};
use crate::http::answers;
use crate::http::app::App;
use crate::http::asked::CommandHeaders;
use crate::http::body::{LineBody, line_quantities};
use crate::http::cause::Cause;
use crate::http::decided::Awaited;
use crate::http::prefer::{PreferHeader, PreferWait};
use crate::http::problems::Problems;
use crate::http::told::{CommandBody as _, Told, command_bodies};
use crate::http::whose::OfOrder;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(request_return).needs(Action::RequestReturn))
        .routes(routes!(receive_return).needs(Action::ReceiveReturn))
}

command_bodies! { RequestReturnBody that may say why, ReceiveReturnBody that may say why }

/// Lines to be sent back.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "lines": [{ "line": 1, "quantity": 1 }], "reason": "it arrived broken" }))]
struct RequestReturnBody {
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

/// Ask to send units back
#[utoipa::path(post, path = "/orders/{id}/returns", tag = "Orders",
    params(("id" = inline(PathId), Path), CommandHeaders), request_body = RequestReturnBody,
    responses(Created, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn request_return(
    State(app): State<App>,
    OfOrder(order_id): OfOrder<OrderId>,
    told: Told<RequestReturnBody>,
) -> Result<Response, Problem> {
    let made = async {
        app.check_cause(told.occurred_at(), Cause::Delivery(&order_id)).await?;
        let lines = line_quantities(&told.body.lines)?;
        Ok(RequestReturn { order_id, lines, reason: told.why_of_staff()? })
    };
    told.run_made(&app, made, answers::return_requested).await
}

/// A return that arrived.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "restock": true }))]
struct ReceiveReturnBody {
    /// True when the units can be sold again, false when they are written off.
    restock: bool,
    /// Why so, in a person's words, such as what is wrong with them; no personal data: it is kept when a person is erased.
    // Without it a body is what it was when it could not be said, so that a repeat of such a request is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LongText>)]
    reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Receive a return
#[utoipa::path(post, path = "/orders/{id}/returns/{return}/receive", tag = "Orders",
    params(("id" = inline(PathId), Path), ("return" = inline(DerivedPathId), Path), CommandHeaders, PreferHeader),
    request_body = ReceiveReturnBody, responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id, %return_id))]
async fn receive_return(
    State(app): State<App>,
    OfOrder((order_id, return_id)): OfOrder<(OrderId, ReturnId)>,
    PreferWait(wait): PreferWait,
    told: Told<ReceiveReturnBody>,
) -> Result<Response, Problem> {
    let restock = told.body.restock;
    let awaited = return_id.clone();
    let made = async {
        app.check_cause(told.occurred_at(), Cause::Return(&order_id, &return_id)).await?;
        Ok(ReceiveReturn { order_id, return_id, restock, reason: told.body.reason() })
    };
    let outcome = told.carry_out(&app, made, answers::changed).await?;
    match wait {
        Some(wait) => {
            let refund = |order_id: &OrderId, _: &_| Awaited::Refund(order_id.clone(), awaited);
            app.decided(outcome, wait, refund).await
        }
        None => Ok(accepted::response(&app, &outcome)),
    }
}

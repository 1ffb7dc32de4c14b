//! `POST /orders/{id}/place`

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::ids::OrderId;
use domain::orders::PlaceDraft;
use service_kit::access::Needs;
use service_kit::described::PathId;
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::accepted::{self, Changed};
use crate::http::answers;
use crate::http::app::App;
use crate::http::asked::CommandHeaders;
use crate::http::body::ReasonBody;
use crate::http::cause::Cause;
use crate::http::decided::Awaited;
use crate::http::prefer::{PreferHeader, PreferWait};
use crate::http::problems::Problems;
use crate::http::told::{CommandBody as _, Told};
use crate::http::whose::OfOrder;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(place_draft).needs(Action::ChangeOrder))
}

/// Place a draft
///
/// Its lines keep their numbers; a number of a line that was taken out is not given again.
#[utoipa::path(post, path = "/orders/{id}/place", tag = "Orders",
    params(("id" = inline(PathId), Path), CommandHeaders, PreferHeader),
    request_body = Option<ReasonBody>, responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn place_draft(
    State(app): State<App>,
    OfOrder(order_id): OfOrder<OrderId>,
    PreferWait(wait): PreferWait,
    told: Told<ReasonBody>,
) -> Result<Response, Problem> {
    let made = async {
        app.check_cause(told.occurred_at(), Cause::Order(&order_id)).await?;
        Ok(PlaceDraft { order_id, reason: told.body.reason() })
    };
    let outcome = told.carry_out(&app, made, answers::draft_placed).await?;
    match wait {
        Some(wait) => {
            app.decided(outcome, wait, |order_id, _| Awaited::Order(order_id.clone())).await
        }
        None => Ok(accepted::response(&app, &outcome)),
    }
}

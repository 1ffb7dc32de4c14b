//! `POST /orders/{id}/place`, and the wait for an order's decision.

use axum::extract::State;
use axum::response::Response;
use domain::ids::OrderId;
use domain::orders::PlaceDraft;
use service_kit::extract::{OptionalJsonBody, PathParams};
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::accepted::{self, Changed};
use crate::http::answers;
use crate::http::app::App;
use crate::http::asked::{Asked, CommandHeaders};
use crate::http::body::ReasonBody;
use crate::http::prefer::{PreferHeader, PreferWait, Wait};
use crate::http::problems::{Problems, unreachable_store};
use crate::processor::Outcome;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(place_draft))
}

/// Place a draft
///
/// Its lines keep their numbers; a number of a line that was taken out is not given again.
#[utoipa::path(post, path = "/orders/{id}/place", tag = "Orders",
    params(("id" = String, Path), CommandHeaders, PreferHeader),
    request_body = Option<ReasonBody>, responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn place_draft(
    State(app): State<App>,
    PathParams(order_id): PathParams<OrderId>,
    asked: Asked,
    PreferWait(wait): PreferWait,
    OptionalJsonBody(body): OptionalJsonBody<ReasonBody>,
) -> Result<Response, Problem> {
    let fingerprint = asked.fingerprint(&app, &body)?;
    let (command, answer) = (PlaceDraft { order_id }, answers::draft_placed);
    let outcome = asked.execute(&app, fingerprint, body.occurred_at, command, answer).await?;
    match wait {
        Some(wait) => app.decided(outcome, wait).await,
        None => Ok(accepted::response(&app, &outcome)),
    }
}

impl App {
    /// Waits for the order's decision and answers with it; answers as without a wait when it takes too long.
    pub(super) async fn decided(
        &self,
        mut outcome: Outcome,
        wait: Wait,
    ) -> Result<Response, Problem> {
        let mut members = accepted::members(&outcome);
        // The order of the stored answer: on a repeat no other id counts.
        let id = members.get("id").and_then(|id| id.as_str());
        let Some(order_id) = id.and_then(|id| OrderId::parse(id).ok()) else {
            return Ok(accepted::response(self, &outcome));
        };
        let waited = self.waiters.wait(&*self.log, &order_id, wait.time()).await;
        if let Some(decided) = waited.map_err(|error| unreachable_store(&error))? {
            members.insert("status".into(), decided.status.into());
            members.insert("reason".into(), decided.reason.into());
            (outcome.version, outcome.position) = (decided.version, decided.position);
        }
        let mut response = accepted::response_with(self, &outcome, members);
        wait.say(response.headers_mut());
        Ok(response)
    }
}

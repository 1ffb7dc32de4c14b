//! `POST /orders/{id}/hold|release|erase`

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::ids::OrderId;
use domain::orders::{EraseOrder, HoldOrder, ReleaseHold};
use service_kit::access::Needs;
use service_kit::described::PathId;
use service_kit::extract::PathParams;
use service_kit::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::accepted::{self, Changed};
use crate::http::answers;
use crate::http::app::App;
use crate::http::asked::CommandHeaders;
use crate::http::body::WhyBody;
use crate::http::cause::Cause;
use crate::http::problems::Problems;
use crate::http::sealing::Person;
use crate::http::told::{CommandBody as _, Told};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(hold_order).needs(Action::HoldOrder))
        .routes(routes!(release_hold).needs(Action::HoldOrder))
        .routes(routes!(erase_order).needs(Action::ErasePerson))
}

/// Let an order stand still
#[utoipa::path(post, path = "/orders/{id}/hold", tag = "Orders",
    params(("id" = inline(PathId), Path), CommandHeaders), request_body = WhyBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn hold_order(
    State(app): State<App>,
    PathParams(order_id): PathParams<OrderId>,
    told: Told<WhyBody>,
) -> Result<Response, Problem> {
    let command = told.why().map(|why| HoldOrder { order_id: order_id.clone(), reason: Some(why) });
    told.run_after(&app, Cause::Order(&order_id), command, answers::changed).await
}

/// Let a held order go on
#[utoipa::path(post, path = "/orders/{id}/release", tag = "Orders",
    params(("id" = inline(PathId), Path), CommandHeaders), request_body = WhyBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn release_hold(
    State(app): State<App>,
    PathParams(order_id): PathParams<OrderId>,
    told: Told<WhyBody>,
) -> Result<Response, Problem> {
    let command =
        told.why().map(|why| ReleaseHold { order_id: order_id.clone(), reason: Some(why) });
    told.run_after(&app, Cause::Order(&order_id), command, answers::changed).await
}

/// Make the personal data of a guest's order unreadable, everywhere and for ever
///
/// That is its address but for the country. What is kept is whatever else was sent: ids, reference, reasons, carriers and
/// tracking numbers, idempotency keys.
#[utoipa::path(post, path = "/orders/{id}/erase", tag = "Orders",
    params(("id" = inline(PathId), Path), CommandHeaders), request_body = WhyBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(order.id = %order_id))]
async fn erase_order(
    State(app): State<App>,
    PathParams(order_id): PathParams<OrderId>,
    told: Told<WhyBody>,
) -> Result<Response, Problem> {
    let command = EraseOrder { order_id: order_id.clone(), reason: told.body.reason() };
    let made = async { told.why().map(|_| command.clone()) };
    let outcome = told.carry_out(&app, made, answers::changed).await?;
    app.erase(&told.fingerprint().command_id, &Person::Guest(order_id), command).await?;
    Ok(accepted::response(&app, &outcome))
}

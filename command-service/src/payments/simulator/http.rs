//! The simulated provider as an HTTP server: calls and probes come in, outcomes go out.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use service_kit::extract::JsonBody;
use utoipa_axum::router::OpenApiRouter;

use super::provider::SimulatedProvider;
use super::sqlite::Ledger;
use super::wire::{CALLS, PROBES, Probe, Said};
use crate::payments::provider::{PaymentProvider, ProviderCall, WhenAbsent};

/// Where the command-service asks.
pub fn desk_router(provider: SimulatedProvider) -> Router {
    Router::new().route(CALLS, post(call)).route(PROBES, post(probe)).with_state(provider)
}

/// Where people look into the provider's book, without `/v1`.
pub fn ledger_router(ledger: Ledger) -> OpenApiRouter {
    crate::http::ledger_router(Some(ledger))
}

async fn call(
    State(provider): State<SimulatedProvider>,
    JsonBody(call): JsonBody<ProviderCall>,
) -> Json<Said> {
    Json(provider.call(&call).await.into())
}

async fn probe(
    State(provider): State<SimulatedProvider>,
    JsonBody(probe): JsonBody<Probe>,
) -> Json<Said> {
    let when_absent = if probe.close { WhenAbsent::Close } else { WhenAbsent::LeaveOpen };
    Json(provider.probe(&probe.call, when_absent).await.into())
}

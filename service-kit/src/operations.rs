//! The description of what every process answers beside its own endpoints, for its `/openapi.json`.

use utoipa::OpenApi;

use crate::{health, metrics};

#[derive(OpenApi)]
#[openapi(paths(health::live, health::ready, metrics::metrics))]
struct Operations;

/// `/health/live`, `/health/ready` and `/metrics`, described.
pub fn description() -> utoipa::openapi::OpenApi {
    Operations::openapi()
}

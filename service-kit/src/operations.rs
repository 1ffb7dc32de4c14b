//! The description of what every process answers beside its own endpoints, for its `/openapi.json`.

use access::Action;
use utoipa::OpenApi;

use crate::access::{Access, describe_plain};
use crate::problem::ProblemBody;
use crate::{health, metrics};

#[derive(OpenApi)]
#[openapi(
    paths(health::live, health::ready, metrics::metrics),
    // Many routes name it in their shared responses only: those are not gathered with the routes.
    components(schemas(ProblemBody)),
    tags((name = "Operations", description = "Whether the process is up and ready, and what it counts."))
)]
struct Operations;

/// `/health/live`, `/health/ready` and `/metrics`, described.
pub fn description(access: &Access) -> utoipa::openapi::OpenApi {
    let mut described = Operations::openapi();
    describe_plain(&mut described, "/metrics", Action::ReadMetrics);
    access.describe(&mut described);
    described
}

//! One description of the API from those of the services.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde_json::Value;
use service_kit::problem::{Code, Problem};

use utoipa::openapi::OpenApi;

use crate::routes::Service;
use crate::services::Services;

/// How long the services may take to describe their parts of the API.
const DESCRIBED_WITHIN: Duration = Duration::from_secs(5);
/// Those that have a part in it.
const DESCRIBED: [Service; 4] =
    [Service::Commands, Service::Models, Service::Sagas, Service::Notifications];

/// The description under this path, which is that of every service's own, with what the gateway answers itself.
pub fn description(services: &Arc<Services>, path: &'static str, own: OpenApi) -> Router {
    let own = Arc::new(serde_json::to_value(own).unwrap_or_default());
    let described = move |State(services): State<Arc<Services>>| whole(services, path, own);
    Router::new().route(path, get(described)).with_state(Arc::clone(services))
}

async fn whole(
    services: Arc<Services>,
    path: &'static str,
    own: Arc<Value>,
) -> Result<Json<Value>, Problem> {
    let asked = DESCRIBED.map(|service| services.get_json(service, path, DESCRIBED_WITHIN));
    let mut whole = Value::Null;
    for (service, described) in DESCRIBED.iter().zip(futures::future::join_all(asked).await) {
        let described = described.ok_or_else(|| {
            let detail = format!("{} does not tell its part", service.name());
            Problem::from(Code::Unavailable).detail(detail).retry_after(1)
        })?;
        join(&mut whole, described);
    }
    join(&mut whole, Value::clone(&own));
    Ok(Json(whole))
}

/// Puts two descriptions together: what is in both stays as it is in the first, and a list has what is in either.
fn join(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                join(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(whole), Value::Array(part)) => {
            let more: Vec<Value> = part.into_iter().filter(|item| !whole.contains(item)).collect();
            whole.extend(more);
        }
        (whole @ Value::Null, part) => *whole = part,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_joined_member_by_member() {
        let mut whole = serde_json::json!({ "info": { "title": "Docket" }, "paths": { "/a": 1 } });
        let part = serde_json::json!({ "info": { "title": "other" }, "paths": { "/b": 2 } });
        join(&mut whole, part);
        let joined =
            serde_json::json!({ "info": { "title": "Docket" }, "paths": { "/a": 1, "/b": 2 } });
        assert_eq!(whole, joined);
    }
}

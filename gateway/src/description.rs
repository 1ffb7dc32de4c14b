//! One description of the API from those of the services.
//!
//! **Invariant:** no service that is away takes away what the others tell: of each, what it told last is told on.

use std::sync::{Arc, Mutex, PoisonError};
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
    let (services, own) = (Arc::clone(services), serde_json::to_value(own).unwrap_or_default());
    let parts = Arc::new(Parts { services, path, own, told: Mutex::default() });
    Router::new().route(path, get(whole)).with_state(parts)
}

/// What the description is made of.
struct Parts {
    services: Arc<Services>,
    path: &'static str,
    own: Value,
    /// What each service told last.
    told: Mutex<Told>,
}

type Told = [Option<Arc<Value>>; DESCRIBED.len()];

impl Parts {
    /// What each service tells now, or told last.
    async fn ask(&self) -> Told {
        let ask = |service| self.services.get_json(service, self.path, DESCRIBED_WITHIN);
        let now = futures::future::join_all(DESCRIBED.map(ask)).await;
        // Each is whole after any panic.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for (told, now) in told.iter_mut().zip(now) {
            *told = now.map(Arc::new).or(told.take());
        }
        told.clone()
    }
}

async fn whole(State(parts): State<Arc<Parts>>) -> Result<Json<Value>, Problem> {
    let told = parts.ask().await;
    let mut whole = Value::Null;
    for part in told.iter().flatten() {
        join(&mut whole, Value::clone(part));
    }
    if whole.is_null() {
        let problem = Problem::from(Code::Unavailable).detail("no service tells its part");
        return Err(problem.retry_after(1));
    }
    join(&mut whole, parts.own.clone());
    let missing = DESCRIBED.iter().zip(&told).filter(|(_, told)| told.is_none());
    say_missing(&mut whole, &missing.map(|(service, _)| service.name()).collect::<Vec<_>>());
    Ok(Json(whole))
}

/// Says which services' operations are not described.
fn say_missing(whole: &mut Value, missing: &[&str]) {
    let Some(Value::Object(info)) = whole.get_mut("info") else { return };
    if missing.is_empty() {
        return;
    }
    let told = info.get("description").and_then(Value::as_str).unwrap_or_default();
    let names = missing.join(", ");
    let more = "Not described is what these answer, of which nothing was heard yet";
    let told = format!("{told} {more}: {names}.");
    info.insert("description".to_owned(), told.trim_start().into());
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
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::response::IntoResponse as _;
    use serde_json::json;
    use service_kit::access::Access;
    use tower::ServiceExt as _;

    use super::*;
    use crate::aggregates_described;
    use crate::services::Addresses;
    use crate::upstream::{Base, Client, Policy};

    /// A service that describes this path, while it is there.
    async fn service(path: &'static str, there: &Arc<AtomicBool>) -> Vec<Base> {
        let there = Arc::clone(there);
        let described = async move || {
            if !there.load(Ordering::SeqCst) {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            let info = json!({ "title": "Docket", "description": "A platform." });
            Json(json!({ "info": info, "paths": { path: {} } })).into_response()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let router = Router::new().route("/openapi.json", get(described));
        tokio::spawn(async move { axum::serve(listener, router).await });
        vec![format!("http://{at}").parse().unwrap()]
    }

    #[tokio::test]
    async fn whoever_is_away_is_described_as_it_said_last_and_of_whom_nothing_was_heard_is_named() {
        let there = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let addresses = Addresses {
            commands: service("/v1/carts", &there[0]).await,
            models: service("/v1/stock", &there[1]).await,
            ..Addresses::default()
        };
        let policy = Policy { deadline: Duration::from_secs(35), most_in_flight: 2 };
        let client = Client::in_clear(policy.deadline);
        let services = Arc::new(Services::at(addresses, &client, policy, false));
        let router = description(&services, "/openapi.json", aggregates_described(&Access::open()));
        let ask = async || {
            let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            let status = answer.status();
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            (status, serde_json::from_slice::<Value>(&body).unwrap())
        };
        let is = |n: usize, now| there[n].store(now, Ordering::SeqCst);
        assert_eq!(ask().await.0, StatusCode::SERVICE_UNAVAILABLE, "nothing is known");
        is(0, true);
        let (status, api) = ask().await;
        assert_eq!(status, StatusCode::OK);
        assert!(api["paths"]["/v1/carts"].is_object() && api["paths"]["/v1/stock"].is_null());
        let told = "A platform. Not described is what these answer, of which nothing was heard yet: \
            projection-service, saga-orchestrator, notification-service.";
        assert_eq!(api["info"]["description"], told);
        is(1, true);
        ask().await;
        is(0, false);
        is(1, false);
        let (_, api) = ask().await;
        for path in ["/v1/carts", "/v1/stock", "/v1/overview"] {
            assert!(api["paths"][path].is_object(), "{path}: {api}");
        }
        let told = api["info"]["description"].as_str().unwrap();
        assert!(told.ends_with("heard yet: saga-orchestrator, notification-service."), "{told}");
    }

    #[test]
    fn descriptions_are_joined_member_by_member() {
        let mut whole = json!({ "info": { "title": "Docket" }, "paths": { "/a": 1 } });
        let part = json!({ "info": { "title": "other" }, "paths": { "/b": 2 } });
        join(&mut whole, part);
        let joined = json!({ "info": { "title": "Docket" }, "paths": { "/a": 1, "/b": 2 } });
        assert_eq!(whole, joined);
    }
}

//! A platform of a hundred lines: it keeps what was sent and answers as the real one does, in one process.
//!
//! It knows keys, orders, shipments and returns, and nothing about time: an order is confirmed when it is placed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// A command that had an effect.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    pub(super) path: String,
    pub(super) key: String,
    pub(super) body: Value,
}

/// What the platform has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Commands that had an effect, in order.
    pub(super) done: Vec<Sent>,
    /// Every key that arrived, also again.
    pub(super) keys: Vec<String>,
    /// How many commands are turned away first, with this status.
    pub(super) turn_away: Option<(u32, StatusCode)>,
    /// Orders that end rejected.
    pub(super) rejects: Vec<String>,
    pub(super) answers: BTreeMap<String, (Sent, Value)>,
    /// Order by order, how far it is.
    pub(super) status: BTreeMap<String, &'static str>,
    pub(super) returns: BTreeMap<String, u32>,
    /// Reads of a shipment list; every first one is too early.
    pub(super) shipment_reads: BTreeMap<String, u32>,
}

pub(super) type Platform = Arc<Mutex<Seen>>;

/// Starts the platform on a free port; it lives as long as the test's runtime.
pub(super) async fn start(seen: Seen) -> (String, Platform) {
    let platform = Arc::new(Mutex::new(seen));
    let routes = Router::new()
        .route("/health/ready", get(|| async { Json(json!({ "status": "ready" })) }))
        .route("/v1/orders/{id}", get(order))
        .route("/v1/shipments", get(shipments))
        .route("/v1/{*path}", post(command))
        .with_state(Arc::clone(&platform));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, platform)
}

fn problem(status: StatusCode, code: &str) -> Response {
    (status, [("retry-after", "0")], Json(json!({ "code": code, "title": "no" }))).into_response()
}

async fn command(
    State(platform): State<Platform>,
    Path(path): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut seen = platform.lock().unwrap();
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    seen.keys.push(key.clone());
    if let Some((left, status)) = seen.turn_away.as_mut().filter(|(left, _)| *left > 0) {
        *left -= 1;
        return problem(*status, "unavailable");
    }
    let sent = Sent { path, key, body };
    if let Some((before, answer)) = seen.answers.get(&sent.key) {
        return if *before == sent {
            Json(answer.clone()).into_response()
        } else {
            problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused")
        };
    }
    match act(&mut seen, &sent) {
        Ok(answer) => {
            seen.done.push(sent.clone());
            seen.answers.insert(sent.key.clone(), (sent, answer.clone()));
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Err(code) => problem(StatusCode::UNPROCESSABLE_ENTITY, code),
    }
}

fn act(seen: &mut Seen, sent: &Sent) -> Result<Value, &'static str> {
    let parts: Vec<&str> = sent.path.split('/').collect();
    match parts.as_slice() {
        ["orders"] => {
            let id = sent.body["order_id"].as_str().unwrap().to_owned();
            let rejected = seen.rejects.contains(&id);
            let status = if rejected { "rejected" } else { "confirmed" };
            seen.status.insert(id.clone(), status);
            let reason = rejected.then_some("out_of_stock");
            Ok(json!({ "id": id, "version": 1, "position": 1, "status": status, "reason": reason }))
        }
        ["stock", sku, "adjust"] if sku.starts_with(|first: char| !first.is_ascii_digit()) => {
            Err("not_stocked")
        }
        ["stock", _, "adjust"] if sent.body["delta"].as_i64() < Some(-100) => Err("out_of_stock"),
        ["products"] if sent.body["sku"] == "TAKEN" => Err("product_exists"),
        ["shipments", shipment, "deliver"] => {
            let order = shipment.strip_suffix("-s1").unwrap();
            seen.status.insert(order.to_owned(), "completed");
            Ok(json!({ "id": shipment, "version": 2, "position": 2 }))
        }
        ["orders", order, "returns"] => {
            let nth = seen.returns.entry((*order).to_owned()).or_default();
            *nth += 1;
            Ok(
                json!({ "id": order, "version": 3, "position": 3, "return_id": format!("{order}-r{nth}") }),
            )
        }
        _ => Ok(json!({ "id": sent.path, "version": 1, "position": 1 })),
    }
}

async fn order(State(platform): State<Platform>, Path(id): Path<String>) -> Response {
    let seen = platform.lock().unwrap();
    let Some(status) = seen.status.get(&id) else {
        return problem(StatusCode::NOT_FOUND, "order_not_found");
    };
    let returns = (0..seen.returns.get(&id).copied().unwrap_or(0))
        .map(|_| json!({ "kind": "return", "state": "completed" }));
    let sagas: Vec<Value> =
        returns.chain([json!({ "kind": "order", "state": "waiting" })]).collect();
    Json(json!({ "id": id, "status": status, "sagas": sagas })).into_response()
}

async fn shipments(
    State(platform): State<Platform>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let mut seen = platform.lock().unwrap();
    let order = &query["order_id"];
    let reads = seen.shipment_reads.entry(order.clone()).or_default();
    *reads += 1;
    let items = if *reads > 1 {
        vec![json!({ "id": format!("{order}-s1"), "status": "created" })]
    } else {
        vec![]
    };
    Json(json!({ "items": items, "next": null })).into_response()
}

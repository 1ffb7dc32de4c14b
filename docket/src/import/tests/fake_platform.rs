//! A platform of a hundred lines: it keeps what was sent and answers as the real one does, in one process.
//!
//! It knows keys, products, orders, shipments and returns, and nothing about time: an order is confirmed when it is placed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
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
    /// Codes that the platform keeps no stock of.
    pub(super) not_stocked: Vec<String>,
    /// Orders that end rejected.
    pub(super) rejects: Vec<String>,
    pub(super) answers: BTreeMap<String, (Sent, Value)>,
    /// Order by order, how far it is.
    pub(super) status: BTreeMap<String, &'static str>,
    /// What was asked for, order by order.
    pub(super) orders: BTreeMap<String, Value>,
    /// The commands that asked for an order's returns.
    pub(super) returns: BTreeMap<String, Vec<Sent>>,
    /// Code by code, name and price. `TAKEN` is there without either.
    pub(super) products: BTreeMap<String, (String, i64)>,
    /// Reads of a shipment list; every first one is too early.
    pub(super) shipment_reads: BTreeMap<String, u32>,
}

pub(super) type Platform = Arc<Mutex<Seen>>;

/// Starts the platform on a free port; it lives as long as the test's runtime.
pub(super) async fn start(mut seen: Seen) -> (String, Platform) {
    seen.products.insert("TAKEN".to_owned(), ("TAKEN".to_owned(), 0));
    let platform = Arc::new(Mutex::new(seen));
    let routes = Router::new()
        .route("/health/ready", get(|| async { Json(json!({ "status": "ready" })) }))
        .route("/health/live", get(|| async { Json(json!({ "status": "live" })) }))
        .route("/v1/events", get(|| async { Json(json!({ "items": [], "next": null })) }))
        .route("/v1/products", get(products).post(command))
        .route("/v1/orders", get(orders).post(command))
        .route("/v1/orders/{id}", get(order))
        .route("/v1/orders/{id}/events", get(order_events))
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
    uri: Uri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut seen = platform.lock().unwrap();
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    seen.keys.push(key.clone());
    let path = uri.path().trim_start_matches("/v1/").to_owned();
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
            seen.orders.insert(id.clone(), sent.body.clone());
            let reason = rejected.then_some("out_of_stock");
            Ok(json!({ "id": id, "version": 1, "position": 1, "status": status, "reason": reason }))
        }
        ["stock", sku, _] if seen.not_stocked.iter().any(|code| code == sku) => Err("not_stocked"),
        ["stock", sku, "adjust"] if sku.starts_with(|first: char| !first.is_ascii_digit()) => {
            Err("not_stocked")
        }
        ["stock", _, "adjust"] if sent.body["delta"].as_i64() < Some(-100) => Err("out_of_stock"),
        ["products"] => register(seen, &sent.body),
        ["products", sku, "name"] => {
            seen.products.get_mut(*sku).unwrap().0 = text(&sent.body["name"]);
            Ok(json!({ "id": sku, "version": 2, "position": 2 }))
        }
        ["products", sku, "price"] => {
            seen.products.get_mut(*sku).unwrap().1 = price(&sent.body);
            Ok(json!({ "id": sku, "version": 2, "position": 2 }))
        }
        ["shipments", shipment, "deliver"] => {
            let order = shipment.strip_suffix("-s1").unwrap();
            seen.status.insert(order.to_owned(), "completed");
            Ok(json!({ "id": shipment, "version": 2, "position": 2 }))
        }
        ["orders", order, "returns"] => {
            let asked = seen.returns.entry((*order).to_owned()).or_default();
            asked.push(sent.clone());
            let return_id = format!("{order}-r{}", asked.len());
            Ok(json!({ "id": order, "version": 3, "position": 3, "return_id": return_id }))
        }
        _ => Ok(json!({ "id": sent.path, "version": 1, "position": 1 })),
    }
}

fn register(seen: &mut Seen, body: &Value) -> Result<Value, &'static str> {
    let sku = text(&body["sku"]);
    if seen.products.contains_key(&sku) {
        return Err("product_exists");
    }
    seen.products.insert(sku.clone(), (text(&body["name"]), price(body)));
    Ok(json!({ "id": sku, "version": 1, "position": 1 }))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn price(body: &Value) -> i64 {
    body["unit_price"]["amount"].as_i64().unwrap()
}

/// A page of everything.
fn page(items: &[Value]) -> Response {
    Json(json!({ "items": items, "next": null })).into_response()
}

async fn products(State(platform): State<Platform>) -> Response {
    let seen = platform.lock().unwrap();
    let product = |(sku, (name, amount)): (&String, &(String, i64))| json!({ "sku": sku, "name": name, "unit_price": { "amount": amount, "currency": "GBP" } });
    let items: Vec<Value> = seen.products.iter().map(product).collect();
    page(&items)
}

async fn orders(
    State(platform): State<Platform>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let seen = platform.lock().unwrap();
    let of_customer = seen.orders.values();
    let of_customer = of_customer.filter(|body| body["customer_id"] == query["customer_id"]);
    let items: Vec<Value> = of_customer.map(|body| json!({ "id": body["order_id"] })).collect();
    page(&items)
}

async fn order(State(platform): State<Platform>, Path(id): Path<String>) -> Response {
    let seen = platform.lock().unwrap();
    let (Some(status), Some(body)) = (seen.status.get(&id), seen.orders.get(&id)) else {
        return problem(StatusCode::NOT_FOUND, "order_not_found");
    };
    let asked = 1..=seen.returns.get(&id).map_or(0, Vec::len);
    let returns: Vec<Value> =
        asked.clone().map(|nth| json!({ "id": format!("{id}-r{nth}") })).collect();
    let sagas = asked
        .map(|nth| json!({ "id": format!("return-{id}-r{nth}"), "kind": "return", "state": "completed" }));
    let sagas: Vec<Value> = sagas
        .chain([json!({ "id": format!("order-{id}"), "kind": "order", "state": "waiting" })])
        .collect();
    let line = |(number, line): (u32, &Value)| {
        let (sku, units, price) = (&line["sku"], &line["quantity"], price(line));
        json!({ "line": number, "sku": sku, "unit_price": price, "delivered": units })
    };
    let lines: Vec<Value> = (1..).zip(body["lines"].as_array().unwrap()).map(line).collect();
    let placed_at = &body["occurred_at"];
    Json(json!({
        "id": id, "status": status, "placed_at": placed_at, "lines": lines, "returns": returns, "sagas": sagas,
    }))
    .into_response()
}

async fn order_events(State(platform): State<Platform>, Path(id): Path<String>) -> Response {
    let seen = platform.lock().unwrap();
    let asked = seen.returns.get(&id).into_iter().flatten();
    let event = |sent: &Sent| {
        let command_id = format!("client/{}", sent.key);
        json!({ "type": "ReturnRequested", "command_id": command_id, "data": { "lines": sent.body["lines"] } })
    };
    let items: Vec<Value> = asked.map(event).chain([json!({ "type": "OrderPlaced" })]).collect();
    page(&items)
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

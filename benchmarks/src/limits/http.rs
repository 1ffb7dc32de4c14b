//! HTTP servers that do next to nothing, under the driver that Docket is measured with.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpListener;

use super::postgres::{self, Group, Writes};
use crate::driver;
use crate::harness::Measurement;
use crate::postgres::Database;
use crate::shop::{receive, spread};
use crate::subjects::Asked;

const PATH: &str = "/v1/stock/{sku}/receive";

/// JSON in, the same out.
pub(super) async fn echo(asked: &Asked, connections: u32) -> Result<Measurement> {
    let router = Router::new().route(PATH, post(async |Json(body): Json<Value>| Json(body)));
    load(router, asked, connections).await
}

/// Versions come from memory: nothing is checked but by the index.
#[derive(Clone)]
struct Loop {
    group: Group,
    versions: Arc<Mutex<HashMap<String, i64>>>,
}

/// A minimal loop: parsed, appended with whatever else waits, answered with the position.
pub(super) async fn group(asked: &Asked, connections: u32) -> Result<Measurement> {
    let database = Database::create(&asked.postgres).await?;
    let mut connection = PgConnection::connect(database.url()).await?;
    postgres::create(&mut connection).await?;
    database.settle().await?;
    let state = Loop { group: Group::start(connection, Writes::Event), versions: Arc::default() };
    let router = Router::new().route(PATH, post(append)).with_state(state);
    let measured = load(router, asked, connections).await?;
    database.remove().await?;
    Ok(measured)
}

async fn append(
    State(state): State<Loop>,
    Path(sku): Path<String>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    if body["quantity"].as_u64().is_none_or(|quantity| quantity == 0) {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let version = {
        let mut versions = state.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let version = versions.entry(sku.clone()).or_default();
        *version += 1;
        *version
    };
    let position = state.group.append(format!("stock-{sku}"), version).await;
    let position = position.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Json(json!({ "position": position, "version": version })))
}

async fn load(router: Router, asked: &Asked, connections: u32) -> Result<Measurement> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let seconds = asked.seconds;
    // The driver has a thread of its own, as it has as a process.
    let driven = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let commands = |index: usize, n| receive(&spread(index, n), &format!("{index}/{n}"));
            let of = |duration| driver::Load { connections: connections as usize, duration };
            let warm_up = of(Duration::from_secs(1));
            driver::closed(&address, warm_up, Rc::new(commands)).await?;
            let load = of(Duration::from_secs(seconds));
            driver::closed(&address, load, Rc::new(commands)).await
        })
    });
    let outcome = driven.await??;
    server.abort();
    Ok(Measurement::of(&asked.subject, &asked.row)
        .clients(connections)
        .value(outcome.per_second, "1/s")
        .latency(&outcome.latency_us))
}

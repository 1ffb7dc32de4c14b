//! Every list and filter of the query APIs on as many orders as are asked for: how long a page takes at the beginning and deep in, and
//! how the database finds it. In one process: no network is in the times.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use event_store::EventLog;
use event_store::keys::memory::MemoryKeys;
use event_store::keys::{MasterKey, Vault};
use event_store::postgres::PostgresLog;
use event_store::sqlite::SqliteLog;
use futures::future::BoxFuture;
use messaging::commands::{CommandMessage, CommandQueue, QueueError};
use messaging::embedded::EmbeddedFeed;
use messaging::record::NothingRecorded;
use projection_service::{Home, NoSagaStates, ProjectionService, Projector};
use query_plans::catalogue::{self, Asked};
use query_plans::{heard, plan};
use saga_orchestrator::Orchestrator;
use serde_json::Value;
use service_kit::access::Access;
use storage::postgres::PostgresSettings;
use storage::{Connection, Durability, Location, Store};
use tower::ServiceExt as _;

use crate::history::{BUSY_CUSTOMER, POPULAR_SKU, Size, Templates, customer, fill, sku};
use crate::row;
use crate::servers;

/// Requests that are timed of each page.
const TIMES: usize = 50;
/// Pages of 1,000 before the deep one.
const DEEP: usize = 20;

/// Where everything is.
struct Place {
    log: Arc<dyn EventLog>,
    models: Home,
    sagas: Location,
    postgres: bool,
}

/// Fills a log, folds it, asks everything, and tells it as a Markdown table.
pub(crate) async fn tell(orders: u64, on_postgres: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server =
        if on_postgres { Some(servers::postgres(&["log", "models", "sagas"])?) } else { None };
    let place = match &server {
        Some(server) => on_server(server).await?,
        None => in_folder(folder.path()).await?,
    };
    let templates = Templates::make().await?;
    let size = Size { orders, skus: 10_000.min(orders), customers: 10_000.min(orders) };
    let begun = Instant::now();
    let head = fill(&*place.log, &templates, size).await?;
    println!("{orders} orders, {head} events: filled in {:.0} s", begun.elapsed().as_secs_f64());

    let feed = Arc::new(EmbeddedFeed::new(Arc::clone(&place.log)));
    let vault = Arc::new(Vault::new(Arc::new(MemoryKeys::new()), MasterKey::from_bytes([7; 32])));
    let settings = projection_service::Settings::at(place.models.clone());
    let begun = Instant::now();
    let models = ProjectionService::start(
        settings,
        Arc::clone(&feed) as _,
        vault,
        Arc::new(NoSagaStates),
        Arc::new(NothingRecorded),
    )
    .await?;
    for handle in models.handles() {
        let mut status = handle.status();
        let status = status.wait_for(|status| status.position >= head || status.fault.is_some());
        let status = status.await?;
        ensure!(status.fault.is_none(), "{}: {:?}", handle.projector.name(), status.fault);
    }
    println!("folded into all read models in {:.0} s", begun.elapsed().as_secs_f64());
    let settings = saga_orchestrator::Settings::at(place.sagas.clone());
    let begun = Instant::now();
    let clock = service_kit::clock::system();
    let sagas =
        Orchestrator::start(settings, feed, Arc::new(Nowhere), Arc::new(NothingRecorded), clock)
            .await?;
    sagas.watch().wait_for(|status| status.position >= head).await?;
    println!("folded into all sagas in {:.0} s\n", begun.elapsed().as_secs_f64());
    if let Some(server) = &server {
        for database in ["models", "sagas"] {
            vacuum(&server.url(database)).await?;
        }
    }
    ask_all(&place, &models, &sagas, orders).await?;
    sagas.shutdown().await;
    models.shutdown().await;
    Ok(())
}

async fn in_folder(folder: &Path) -> Result<Place> {
    Ok(Place {
        log: Arc::new(SqliteLog::open(&folder.join("log.db")).await?),
        models: folder.join("models").into(),
        sagas: folder.join("sagas.db").into(),
        postgres: false,
    })
}

async fn on_server(server: &test_servers::Postgres) -> Result<Place> {
    PostgresLog::migrate(&server.url("log"), None).await?;
    let log = PostgresLog::open(&server.url("log")).await?;
    log.take_over().await?;
    let settings = |name| PostgresSettings::new(&server.url(name), "benchmarks");
    Ok(Place {
        log: Arc::new(log),
        models: Home::postgres(settings("models")?, "models"),
        sagas: Location::postgres(settings("sagas")?, "sagas"),
        postgres: true,
    })
}

async fn vacuum(url: &str) -> Result<()> {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(url).await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// A queue that takes everything and does nothing.
struct Nowhere;

impl CommandQueue for Nowhere {
    fn send(&self, _: Vec<CommandMessage>) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Values of filters: of what there is much, and of what is rare.
fn samples(orders: u64, rare: bool) -> Vec<(&'static str, String)> {
    let of = |much: &str, little: &str| (if rare { little } else { much }).to_owned();
    vec![
        ("status", of("completed", "on_hold")),
        ("customer_id", customer(if rare { 17 } else { BUSY_CUSTOMER })),
        ("sku", sku(if rare { 1_234 } else { POPULAR_SKU })),
        ("placed_from", "2015-01-01".to_owned()),
        ("placed_to", "2040-01-01".to_owned()),
        ("order_id", format!("order-{:09}", orders / 2)),
        ("from", "2015-01-01".to_owned()),
        ("to", "2040-01-01".to_owned()),
        ("group_by", "month,country".to_owned()),
        ("state", of("completed", "waiting")),
        ("kind", of("order", "cancellation")),
    ]
}

async fn ask_all(
    place: &Place,
    models: &ProjectionService,
    sagas: &Orchestrator,
    orders: u64,
) -> Result<()> {
    println!("| request | entries | first page ms, p50 | p99 | deep in ms, p50 | p99 | plan |");
    println!("|--|--|--|--|--|--|--|");
    let (router, described) = models.router(&Access::open()).split_for_parts();
    let (saga_router, saga_described) = sagas.router(&Access::open()).split_for_parts();
    let apis = [
        (router, serde_json::to_value(described)?),
        (saga_router, serde_json::to_value(saga_described)?),
    ];
    let mut told = std::collections::HashSet::new();
    for (router, described) in &apis {
        for rare in [false, true] {
            let samples = samples(orders, rare);
            let samples: Vec<_> =
                samples.iter().map(|(name, value)| (*name, value.as_str())).collect();
            for asked in catalogue::lists(described, &samples).map_err(anyhow::Error::msg)? {
                let asked = spelt(asked, rare);
                if told.insert(asked.uri.clone()) {
                    ask(place, models, router, &asked).await.with_context(|| asked.uri.clone())?;
                }
            }
        }
    }
    Ok(())
}

/// Parcels have words of their own for where they stand.
fn spelt(asked: Asked, rare: bool) -> Asked {
    let uri = match asked.path.as_str() {
        "/shipments" if rare => asked.uri.replace("status=on_hold", "status=pending"),
        "/shipments" => asked.uri.replace("status=completed", "status=delivered"),
        _ => asked.uri,
    };
    Asked { uri, ..asked }
}

async fn ask(
    place: &Place,
    models: &ProjectionService,
    router: &Router,
    asked: &Asked,
) -> Result<()> {
    let pages = asked.path != "/reports/sales";
    let first = if pages { asked.page(50, None) } else { asked.uri.clone() };
    let (first_ms, answer) = timed(router, &first).await?;
    let entries = answer["items"].as_array().or(answer["rows"].as_array()).context("a list")?.len();
    let mut deep_ms = None;
    if pages && let Some(cursor) = deep(router, asked).await? {
        deep_ms = Some(timed(router, &asked.page(50, Some(&cursor))).await?.0);
    }
    let [deep50, deep99] =
        deep_ms.map_or([String::from("–"), String::from("–")], |ms| ms.map(told));
    let [p50, p99] = first_ms.map(told);
    let plan = plans(place, models, router, asked, &first).await?;
    println!("| `{}` | {entries} | {p50} | {p99} | {deep50} | {deep99} | {plan} |", asked.uri);
    Ok(())
}

fn told(ms: f64) -> String {
    format!("{ms:.2}")
}

/// After so many large pages, or where it ends: the cursor there.
async fn deep(router: &Router, asked: &Asked) -> Result<Option<String>> {
    let mut cursor: Option<String> = None;
    for _ in 0..DEEP {
        let page = get(router, &asked.page(1_000, cursor.as_deref())).await?;
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    Ok(cursor)
}

async fn timed(router: &Router, uri: &str) -> Result<([f64; 2], Value)> {
    let answer = get(router, uri).await?;
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begun = Instant::now();
        get(router, uri).await?;
        times.push(begun.elapsed());
    }
    let us = row::histogram(&times);
    #[expect(clippy::cast_precision_loss, reason = "microseconds of one request")]
    let ms = |quantile| us.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(([ms(0.5), ms(0.99)], answer))
}

async fn get(router: &Router, uri: &str) -> Result<Value> {
    let request = Request::get(uri).body(Body::empty())?;
    let response = router.clone().oneshot(request).await?;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await?;
    ensure!(status.is_success(), "{uri}: {status}: {}", String::from_utf8_lossy(&bytes));
    Ok(serde_json::from_slice(&bytes)?)
}

/// How the statements of a request are carried out, and what is wrong with that.
async fn plans(
    place: &Place,
    models: &ProjectionService,
    router: &Router,
    asked: &Asked,
    uri: &str,
) -> Result<String> {
    let (answer, statements) = heard::during(get(router, uri)).await;
    answer?;
    let lists = statements.iter().filter(|statement| {
        statement.starts_with(['S', '(']) && !statement.contains("FROM checkpoint")
    });
    let mut told: Vec<String> = Vec::new();
    for statement in lists {
        let mut connection = connection(place, models, &asked.path).await?;
        let plan = if place.postgres {
            plan::on_postgres(&mut connection, statement, false).await?
        } else {
            plan::on_sqlite(&mut connection, statement).await?
        };
        let (faults, short) = (plan.faults(&[]).join("; "), plan.short());
        told.push(if faults.is_empty() { short } else { format!("{short} **{}**", faults.trim()) });
    }
    told.dedup();
    Ok(told.join(" · ").replace('|', "/"))
}

async fn connection(place: &Place, models: &ProjectionService, path: &str) -> Result<Connection> {
    let name = if path == "/reports/sales" { "sales" } else { path.trim_start_matches('/') };
    if let Some(projector) = Projector::parse(name) {
        let mut handles = models.handles().iter();
        let handle = handles.find(|handle| handle.projector == projector).context("its handle")?;
        return Ok(handle.current().database.reader().await?);
    }
    let store = Store::open(&place.sagas, Durability::Full, 1).await?;
    Ok(store.reader().await?)
}

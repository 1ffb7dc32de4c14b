//! Emmett on PostgreSQL: measured by a script in the language that it is used from, and loaded from here.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::driver::{Measured, WARM_UP};
use crate::event::{EVENT_TYPE, Metadata, StockReceived};
use crate::install;
use crate::peer::Site;
use crate::row::Row;
use crate::sql::{self, Database, EMMETT_EVENTS, EMMETT_STREAMS};

/// Given to Node over its standard input, so that packages are found from the folder in which it runs.
const SCRIPT: &str = include_str!("../emmett/run.mjs");
/// The messages that are read at once: more than the default, whose pages each cost as much.
pub(crate) const BATCH: u32 = 10_000;

/// How the log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Page after page, by the function that a consumer is built on.
    Pages,
    /// By a consumer.
    Consumer,
}

/// What the script is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    kind: &'static str,
    url: String,
    clients: u32,
    streams: u32,
    events_each: u32,
    seconds: u64,
    warm_up_ms: u128,
    batch_size: u32,
    event_type: &'static str,
    payload: StockReceived,
    metadata: Metadata,
}

/// What the script says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    done: u64,
    conflicts: u64,
    took_ms: f64,
    latencies_us: Vec<u64>,
}

/// Migrates, loads and measures.
pub(crate) async fn measure(
    site: &Site,
    database: &Database,
    row: Row,
    reading: Reading,
    measured_for: Duration,
) -> anyhow::Result<Measured> {
    let kind = match (row, reading) {
        (Row::Append { .. }, _) => "append",
        (Row::Command { .. } | Row::Length { .. }, _) => "command",
        (Row::Hot { .. }, _) => "hot",
        (Row::ReadAll, Reading::Pages) => "read",
        (Row::ReadAll, Reading::Consumer) => "consume",
    };
    let told = |kind| Told {
        kind,
        url: node_url(&site.database),
        clients: site.clients,
        streams: site.shape.streams,
        events_each: site.shape.events_each,
        seconds: measured_for.as_secs(),
        warm_up_ms: WARM_UP.as_millis(),
        batch_size: BATCH,
        event_type: EVENT_TYPE,
        payload: StockReceived::sample(),
        metadata: Metadata::sample(),
    };
    run(&told("migrate")).await?;
    load(site).await?;
    database.settle().await?;
    run(&told(kind)).await?.into_measured()
}

impl Said {
    fn into_measured(self) -> anyhow::Result<Measured> {
        let mut measured = Measured::nothing()?;
        for us in self.latencies_us {
            measured.latencies.saturating_record(us);
        }
        measured.done = self.done;
        measured.conflicts = self.conflicts;
        measured.took = Duration::from_secs_f64(self.took_ms / 1_000.0);
        Ok(measured)
    }
}

/// Node's client takes `prefer`, the default here, for a demand.
fn node_url(database: &PgConnectOptions) -> String {
    let unencrypted = match database.get_ssl_mode() {
        PgSslMode::Prefer | PgSslMode::Allow => database.clone().ssl_mode(PgSslMode::Disable),
        _ => database.clone(),
    };
    unencrypted.to_url_lossy().to_string()
}

async fn load(site: &Site) -> anyhow::Result<()> {
    let pool = sql::connect(site.database.clone(), 1).await?;
    let names: Vec<String> =
        (0..site.shape.streams).map(|number| format!("stock-{number:08}")).collect();
    let events = i64::from(site.shape.events_each);
    sqlx::query(EMMETT_STREAMS).bind(&names).bind(events).execute(&pool).await?;
    sqlx::query(EMMETT_EVENTS)
        .bind(&names)
        .bind(events)
        .bind(EVENT_TYPE)
        .bind(serde_json::to_string(&StockReceived::sample())?)
        .bind(serde_json::to_string(&Metadata::sample())?)
        .execute(&pool)
        .await?;
    pool.close().await;
    Ok(())
}

async fn run(told: &Told) -> anyhow::Result<Said> {
    let modules = install::npm("emmett").await?;
    let folder = modules.parent().context("the folder of the packages has no parent")?;
    let mut node = Command::new("node")
        .args(["--input-type=module", "-", &serde_json::to_string(told)?])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| install::Missing::because(format!("`node` can't be started: {error}")))?;
    let mut input = node.stdin.take().context("node has no standard input")?;
    input.write_all(SCRIPT.as_bytes()).await?;
    drop(input);
    let ended = node.wait_with_output().await?;
    let complaint = String::from_utf8_lossy(&ended.stderr);
    anyhow::ensure!(ended.status.success(), "Emmett's script failed: {complaint}");
    let text = String::from_utf8_lossy(&ended.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("Emmett's script said `{last}`"))
}

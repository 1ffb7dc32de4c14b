//! What is measured over HTTP in a closed loop, one function a row.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use serde_json::Value;

use crate::client::Connection;
use crate::driver::{self, Load, Outcome};
use crate::platform::Platform;
use crate::row::{self, Row};
use crate::shop::{fill_spread, order, receive, register, register_spread, spread};

/// How long everything may take to come to rest.
const PATIENCE: Duration = Duration::from_mins(10);

/// Connections that make a stream long.
const FILLING: u32 = 64;

/// Everybody is warm before anything counts: the platform, and the cores.
pub(crate) async fn warm_up(platform: &Platform, load: Load) -> Result<()> {
    register_spread(&mut Connection::open(&platform.at.commands).await?).await?;
    let load = Load { duration: Duration::from_secs(1), ..load };
    let spread = |index: usize, n| receive(&spread(index, n), &format!("warm/{index}/{n}"));
    driver::closed(&platform.at.commands, load, Rc::new(spread)).await?;
    settle(platform, "warm").await?;
    Ok(())
}

/// Receiving stock, every command on another SKU.
pub(crate) async fn receive_spread(platform: &Platform, load: Load) -> Result<Outcome> {
    let spread = |index: usize, n| receive(&spread(index, n), &format!("spread/{index}/{n}"));
    driver::closed(&platform.at.commands, load, Rc::new(spread)).await
}

/// Receiving stock, every command on one SKU.
pub(crate) async fn receive_hot(platform: &Platform, load: Load) -> Result<Outcome> {
    register(&mut Connection::open(&platform.at.commands).await?, "hot").await?;
    let hot = |index: usize, n: u64| receive("hot", &format!("hot/{index}/{n}"));
    driver::closed(&platform.at.commands, load, Rc::new(hot)).await
}

/// Placing orders of a single line; their sagas run at the same time.
pub(crate) async fn orders(platform: &Platform, load: Load) -> Result<Outcome> {
    fill_spread(&mut Connection::open(&platform.at.commands).await?).await?;
    let order = |index: usize, n: u64| order(&spread(index, n), &format!("order/{index}/{n}"));
    driver::closed(&platform.at.commands, load, Rc::new(order)).await
}

/// The row of a closed loop.
pub(crate) fn rate(what: &str, outcome: &Outcome) -> Row {
    Row::figure(what, outcome.per_second, "commands/s").with(&outcome.latency_us)
}

/// How long it takes until no saga has anything to do and every model has read the whole log, once a load is over.
pub(crate) async fn settle(platform: &Platform, load: &str) -> Result<Duration> {
    settle_with(platform, load, "spread-0").await
}

/// The same where another product is there.
pub(crate) async fn settle_with(platform: &Platform, load: &str, sku: &str) -> Result<Duration> {
    let begun = Instant::now();
    let mut sagas = Connection::open(&platform.at.sagas).await?;
    let mut models = Connection::open(&platform.at.models).await?;
    for round in 0_u32.. {
        // The services only hear how far the log is. So the log is asked: its newest event is ours. Over a connection of its own: one
        // that nobody used for half a minute is closed.
        let mut commands = Connection::open(&platform.at.commands).await?;
        let mark = commands.post(&receive(sku, &format!("after/{load}/{round}"))).await?;
        let head = position(mark)?;
        loop {
            if begun.elapsed() > PATIENCE {
                bail!("the platform did not come to rest within {} min", PATIENCE.as_secs() / 60);
            }
            let folded = saga_position(sagas.read_bytes("/metrics").await?);
            let shown = models.get("/v1/projections").await?;
            let shown = shown["items"].as_array().context("a list")?;
            let read = |model: &Value| model["position"].as_u64() >= Some(head);
            if folded.is_some_and(|folded| folded >= head) && shown.iter().all(read) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let running = sagas.get("/v1/sagas?state=running&limit=1").await?;
        if running["items"].as_array().is_some_and(Vec::is_empty) {
            break;
        }
    }
    Ok(begun.elapsed())
}

/// How far the sagas are, as their service measures itself.
fn saga_position(metrics: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(metrics).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("docket_saga_position "))?;
    line.trim().parse().ok()
}

/// The position in an answer.
pub(crate) fn position(answer: &[u8]) -> Result<u64> {
    let answer: Value = serde_json::from_slice(answer)?;
    answer["position"].as_u64().context("an answer without a position")
}

/// A command on a long stream against one on a fresh stream, one connection, alternately.
pub(crate) async fn stream_length(platform: &Platform, length: u32) -> Result<Vec<Row>> {
    let mut connection = Connection::open(&platform.at.commands).await?;
    register(&mut connection, "long").await?;
    register(&mut connection, "fresh").await?;
    let fill = (0..FILLING).map(|first| async move {
        let mut connection = Connection::open(&platform.at.commands).await?;
        for n in (first..length).step_by(FILLING as usize) {
            connection.post(&receive("long", &format!("long/fill/{n}"))).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(fill).await?;
    let mut latencies = [row::empty(), row::empty()];
    for n in 0..1_000_u32 {
        for (sku, latency_us) in ["long", "fresh"].into_iter().zip(&mut latencies) {
            let command = receive(sku, &format!("{sku}/{n}"));
            let sent = Instant::now();
            connection.post(&command).await?;
            row::record(latency_us, sent.elapsed());
        }
    }
    let [long, fresh] = latencies;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of one command")]
    let ratio = long.value_at_quantile(0.5) as f64 / fresh.value_at_quantile(0.5) as f64;
    Ok(vec![
        Row::figure(&format!("command on a stream of {length} events"), ratio, "x a fresh one")
            .with(&long)
            .named("http-length-10000"),
        Row::latency("command on a fresh stream", &fresh).named("http-length-fresh"),
    ])
}

/// Building every read model anew from position 1, all at the same time, beside the live ones.
pub(crate) async fn replay(platform: &Platform) -> Result<Row> {
    let mut connection = Connection::open(&platform.at.models).await?;
    let models = connection.get("/v1/projections").await?;
    let head = models["items"][0]["head"].as_u64().context("a head")?;
    let models = models["items"].as_array().context("a list")?;
    let names = models.iter().filter_map(|model| model["name"].as_str().map(str::to_owned));
    let begun = Instant::now();
    for name in names {
        let path = format!("/v1/projections/{name}/rebuild");
        let why = r#"{"reason":"measured"}"#.to_owned();
        let rebuild = crate::client::Command::new(path, format!("rebuild/{name}"), why);
        connection.post(&rebuild).await?;
    }
    loop {
        let models = connection.get("/v1/projections").await?;
        let running = |model: &Value| model["state"] == "rebuilding";
        if !models["items"].as_array().context("a list")?.iter().any(running) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let what = "replay of the log into all read models";
    Ok(Row::rate(what, head, "events/s", begun.elapsed()).named("replay"))
}

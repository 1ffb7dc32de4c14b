//! What is measured, one function a row.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::client::Connection;
use crate::driver::{self, Load, Outcome};
use crate::platform::Platform;

/// SKUs that a spread load is spread over.
const SPREAD: u64 = 1_000;

/// A row of the table.
pub(crate) struct Row {
    what: String,
    figure: String,
    latency_us: Option<Histogram<u64>>,
}

impl Row {
    /// A row without latencies.
    pub(crate) fn figure(what: &str, figure: String) -> Self {
        Self { what: what.to_owned(), figure, latency_us: None }
    }

    /// A row with the median and the 99th percentile of these times.
    pub(crate) fn timed(what: &str, figure: String, times: &[Duration]) -> Self {
        let mut latency_us = Histogram::new_with_bounds(1, 60_000_000, 3).ok();
        for time in times {
            let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            if let Some(latency_us) = &mut latency_us {
                latency_us.saturating_record(us);
            }
        }
        Self { what: what.to_owned(), figure, latency_us }
    }

    fn rate(what: &str, outcome: Outcome) -> Self {
        let figure = format!("{:.0} commands/s", outcome.per_second);
        Self { what: what.to_owned(), figure, latency_us: Some(outcome.latency_us) }
    }

    /// The cells of the table.
    pub(crate) fn cells(&self) -> [String; 4] {
        let at = |quantile: f64| {
            let ms = |us: u64| format!("{}.{:02}", us / 1_000, us % 1_000 / 10);
            self.latency_us.as_ref().map_or(String::new(), |us| ms(us.value_at_quantile(quantile)))
        };
        [self.what.clone(), self.figure.clone(), at(0.5), at(0.99)]
    }
}

/// Receiving stock, every command on another SKU.
pub(crate) async fn receive_spread(platform: &Platform, load: Load) -> Result<Row> {
    let mut connection = Connection::open(&platform.address).await?;
    for n in 0..SPREAD {
        register(&mut connection, &format!("spread-{n}")).await?;
    }
    let outcome = driver::run(
        &platform.address,
        load,
        Rc::new(|index, n| {
            let sku = (n * 61 + index as u64 * 16) % SPREAD;
            receive(&format!("spread-{sku}"), &format!("spread/{index}/{n}"))
        }),
    )
    .await?;
    Ok(Row::rate("receive stock, 1,000 SKUs", outcome))
}

/// Receiving stock, every command on one SKU.
pub(crate) async fn receive_hot(platform: &Platform, load: Load) -> Result<Row> {
    register(&mut Connection::open(&platform.address).await?, "hot").await?;
    let hot = |index: usize, n: u64| receive("hot", &format!("hot/{index}/{n}"));
    let outcome = driver::run(&platform.address, load, Rc::new(hot)).await?;
    Ok(Row::rate("receive stock, one SKU", outcome))
}

/// Placing orders of a single line; their sagas run at the same time.
pub(crate) async fn orders(platform: &Platform, load: Load) -> Result<Row> {
    let mut connection = Connection::open(&platform.address).await?;
    for n in 0..SPREAD {
        let (path, key, _) = receive(&format!("spread-{n}"), &format!("fill/{n}"));
        connection.post(&path, &key, &json!({ "quantity": 1_000_000 }).to_string()).await?;
    }
    let order = |index: usize, n: u64| {
        let sku = format!("spread-{}", (n * 61 + index as u64 * 16) % SPREAD);
        let body = json!({
            "currency": "GBP",
            "lines": [{ "sku": sku, "quantity": 1 }],
            "payment_method": "pm_ok",
            "shipping_address": { "country": "United Kingdom" },
        });
        ("/v1/orders".to_owned(), format!("order/{index}/{n}"), body.to_string())
    };
    let outcome = driver::run(&platform.address, load, Rc::new(order)).await?;
    Ok(Row::rate("place single-line orders, sagas running", outcome))
}

/// How long the sagas take to confirm what was placed, once nothing more comes.
pub(crate) async fn settle(platform: &Platform) -> Result<Row> {
    let mut connection = Connection::open(&platform.address).await?;
    let begun = Instant::now();
    loop {
        let running = connection.get("/v1/sagas?state=running&limit=1").await?;
        let models = connection.get("/v1/projections").await?;
        let done = |model: &Value| model["position"] == model["head"];
        let caught_up = models["items"].as_array().context("a list")?.iter().all(done);
        if caught_up && running["items"].as_array().is_some_and(Vec::is_empty) {
            break;
        }
        if begun.elapsed() > Duration::from_mins(5) {
            bail!("the sagas did not settle within 5 minutes");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let figure = format!("{:.1} s", begun.elapsed().as_secs_f64());
    Ok(Row::figure("until every saga is confirmed and every model caught up", figure))
}

/// A command on a long stream against one on a fresh stream, one connection, alternately.
pub(crate) async fn stream_length(platform: &Platform, length: u32) -> Result<Vec<Row>> {
    let mut connection = Connection::open(&platform.address).await?;
    register(&mut connection, "long").await?;
    register(&mut connection, "fresh").await?;
    for n in 0..length {
        let (path, key, body) = receive("long", &format!("long/fill/{n}"));
        connection.post(&path, &key, &body).await?;
    }
    let mut latencies = [Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?];
    for n in 0..1_000_u32 {
        for (sku, latency_us) in ["long", "fresh"].into_iter().zip(&mut latencies) {
            let (path, key, body) = receive(sku, &format!("{sku}/{n}"));
            let sent = Instant::now();
            connection.post(&path, &key, &body).await?;
            latency_us.record(u64::try_from(sent.elapsed().as_micros())?)?;
        }
    }
    let [long, fresh] = latencies;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of one command")]
    let ratio = long.value_at_quantile(0.5) as f64 / fresh.value_at_quantile(0.5) as f64;
    Ok(vec![
        Row {
            what: format!("command on a stream of {length} events"),
            figure: format!("{ratio:.2} × a fresh one (p50)"),
            latency_us: Some(long),
        },
        Row {
            what: "command on a fresh stream".to_owned(),
            figure: String::new(),
            latency_us: Some(fresh),
        },
    ])
}

/// Building every read model anew from position 1, all at the same time, beside the live ones.
pub(crate) async fn replay(platform: &Platform) -> Result<Row> {
    let mut connection = Connection::open(&platform.address).await?;
    let models = connection.get("/v1/projections").await?;
    let head = models["items"][0]["head"].as_u64().context("a head")?;
    let names: Vec<String> = models["items"]
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|model| model["name"].as_str().map(str::to_owned))
        .collect();
    let begun = Instant::now();
    for name in &names {
        let path = format!("/v1/projections/{name}/rebuild");
        connection.post(&path, &format!("rebuild/{name}"), "{}").await?;
    }
    loop {
        let models = connection.get("/v1/projections").await?;
        let running = |model: &Value| model["state"] == "rebuilding";
        if !models["items"].as_array().context("a list")?.iter().any(running) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a position is far below 2^52")]
    let rate = head as f64 / seconds;
    let what = format!("replay of {head} events into all {} read models", names.len());
    Ok(Row::figure(&what, format!("{rate:.0} events/s")))
}

async fn register(connection: &mut Connection, sku: &str) -> Result<()> {
    let body = json!({
        "sku": sku,
        "name": sku,
        "unit_price": { "amount": 100, "currency": "GBP" },
        "stocked": true,
    });
    connection.post("/v1/products", &format!("register/{sku}"), &body.to_string()).await?;
    Ok(())
}

fn receive(sku: &str, key: &str) -> (String, String, String) {
    (format!("/v1/stock/{sku}/receive"), key.to_owned(), r#"{"quantity":1}"#.to_owned())
}

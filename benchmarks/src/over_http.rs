//! The platform as its clients see it, and what each of its processes costs.

use std::time::Duration;

use anyhow::Result;

use crate::driver::{Load, Outcome};
use crate::platform::{Kind, Platform};
use crate::row::{self, Row};
use crate::{half_load, measure};

/// How it is measured.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) load: Load,
    /// Events on the long stream that is compared with a fresh one.
    pub(crate) stream_length: u32,
}

impl Settings {
    /// As the comparison measures: 64 connections, so many seconds a load.
    pub(crate) fn of(seconds: u64) -> Self {
        let load = Load { connections: 64, duration: Duration::from_secs(seconds) };
        Self { load, stream_length: 10_000 }
    }
}

/// Starts a platform, and measures all of it once.
pub(crate) async fn rows(kind: Kind, settings: Settings) -> Result<Vec<Row>> {
    let Settings { load, stream_length } = settings;
    let platform = Platform::start(kind).await?;
    let mut rows = Vec::new();
    let mut costs = Vec::new();

    measure::warm_up(&platform, load).await?;
    let before = platform.cpu()?;
    let spread = measure::receive_spread(&platform, load).await?;
    rows.push(measure::rate("receive stock, 1,000 SKUs", &spread).named("http-64"));
    measure::settle(&platform, "receives").await?;
    costs.extend(cpu(&platform, &before, &spread, "receives", "cpu-receive")?);

    let hot = measure::receive_hot(&platform, load).await?;
    rows.push(measure::rate("receive stock, one SKU", &hot).named("http-hot-64"));
    rows.extend(half_load::receives(&platform, load, spread.per_second).await?);

    let before = platform.cpu()?;
    let orders = measure::orders(&platform, load).await?;
    let what = "place single-line orders, sagas running";
    rows.push(measure::rate(what, &orders).named("http-order-64"));
    let what = "the same, told to come again later";
    let later = Row::rate(what, orders.turned_away, "orders/s", load.duration);
    rows.push(later.named("http-order-later"));
    let settled = measure::settle(&platform, "orders").await?;
    let what = "until every saga is confirmed and every model caught up";
    rows.push(Row::figure(what, settled.as_secs_f64(), "s"));
    let whole = load.duration + settled;
    let end_to_end = Row::rate("orders end to end", orders.answered, "orders/s", whole);
    rows.push(end_to_end.named("orders"));
    let of = "orders with their sagas";
    costs.extend(cpu(&platform, &before, &orders, of, "cpu-order")?);

    // What is acknowledged beyond that only waits: the sagas are part of what an order is.
    let carried = row::per_second(orders.answered, whole);
    rows.extend(half_load::orders(&platform, load, carried).await?);
    measure::settle(&platform, "half").await?;
    rows.extend(measure::stream_length(&platform, stream_length).await?);
    measure::settle(&platform, "length").await?;
    rows.push(measure::replay(&platform).await?);
    rows.extend(costs);
    rows.extend(memory(&platform)?);
    platform.stop().await?;
    Ok(rows)
}

/// What each process took for a load, and all that followed from it; and all of them together.
fn cpu(
    platform: &Platform,
    before: &[Duration],
    load: &Outcome,
    of: &str,
    name: &'static str,
) -> Result<Vec<Row>> {
    let after = platform.cpu()?;
    let took = before.iter().zip(after).map(|(before, after)| after.saturating_sub(*before));
    let took: Vec<Duration> = took.collect();
    // Microseconds of one are milliseconds of a thousand.
    let one = |took: Duration| 1e6 / row::per_second(load.answered, took);
    let each = platform.processes.iter().zip(&took).map(|(process, took)| {
        let what = format!("{}: processor time of 1,000 {of}", process.name);
        Row::figure(&what, one(*took) / 1_000.0, "s")
    });
    let mut rows: Vec<Row> = each.collect();
    let what = format!("everything together: processor time of one of the {of}");
    rows.push(Row::figure(&what, one(took.iter().sum()), "µs").named(name));
    Ok(rows)
}

fn memory(platform: &Platform) -> Result<Vec<Row>> {
    let (mut rows, mut all) = (Vec::new(), 0.0);
    for process in &platform.processes {
        let mb = process.memory_mb()?;
        all += mb;
        rows.push(Row::figure(&format!("{}: memory at most", process.name), mb, "MB"));
    }
    rows.push(Row::figure("everything together: memory at most", all, "MB").named("memory"));
    Ok(rows)
}

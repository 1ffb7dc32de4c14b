//! The whole platform on a long history and on hardly any: how it starts, and what an order takes while sagas wait.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::{MANY, compared, once};
use crate::client::Connection;
use crate::history::sku;
use crate::measure;
use crate::platform::{Platform, Process};
use crate::row::{self, Row};

/// Orders on each side.
const ORDERS: u64 = 500;

/// A folder in which the platform has been: it starts on no log that has no keys beside it.
pub(super) async fn founded(folder: TempDir) -> Result<TempDir> {
    Platform::start_in(folder).await?.leave().await
}

/// The whole platform over both: its start, and what an order takes over HTTP while as many sagas wait as there are.
pub(super) async fn rows(folders: [TempDir; 2]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let (mut platforms, mut restarts) = (Vec::new(), Vec::new());
    for (folder, name) in folders.into_iter().zip(["long", "short"]) {
        let begun = Instant::now();
        let platform = Platform::start_in(folder).await?;
        measure::settle_with(&platform, &format!("first/{name}"), &sku(0)).await?;
        let time = begun.elapsed().as_secs_f64();
        rows.push(Row::figure(&format!("first start, {name}: everything is folded"), time, "s"));
        let folder = platform.leave().await?;
        let begun = Instant::now();
        let platform = Platform::start_in(folder).await?;
        restarts.push(begun.elapsed());
        measure::settle_with(&platform, &format!("again/{name}"), &sku(0)).await?;
        let time = begun.elapsed().as_secs_f64();
        rows.push(Row::figure(
            &format!("start after a crash, {name}: a command is in all models"),
            time,
            "s",
        ));
        let memory = platform.processes.iter().map(Process::resident_mb).sum::<Result<f64>>()?;
        rows.push(Row::figure(&format!("memory after the start, {name}"), memory, "MB"));
        platforms.push(platform);
    }
    let restarts: [Duration; 2] = restarts.try_into().ok().context("two")?;
    rows.extend(compared("ready after a crash", restarts.map(once)));
    let mut connections = Vec::new();
    for platform in &platforms {
        connections.push(Connection::open(&platform.at.commands).await?);
    }
    let mut times = [row::empty(), row::empty()];
    for number in 0..ORDERS {
        for (connection, times) in connections.iter_mut().zip(&mut times) {
            let key = format!("flat/{number}");
            let mut order = crate::shop::order(&sku(number % MANY), &key);
            order.waits = true;
            let begun = Instant::now();
            connection.post(&order).await?;
            row::record(times, begun.elapsed());
        }
    }
    rows.extend(compared("order until it is confirmed, over HTTP", times));
    for platform in platforms {
        platform.stop().await?;
    }
    Ok(rows)
}

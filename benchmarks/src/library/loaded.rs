//! A log with a history, so that nothing is measured on empty tables.

use anyhow::{Result, ensure};
use event_store::{AppendTransaction, Verdict};
use service_kit::clock::Clock;

use super::backend::{Backend, Opened};
use super::stocks;

/// Events that are appended at once, about.
const BATCH: usize = 2_000;

/// Opens a log and loads a stock for each of these lengths, with so many events.
pub(super) async fn open(
    backend: Backend,
    postgres: &str,
    lengths: &[u32],
    clock: &Clock,
) -> Result<Opened> {
    let opened = backend.open(postgres).await?;
    let (mut batch, mut waiting) = (Vec::new(), 0);
    for (number, length) in (0..).zip(lengths) {
        let history = stocks::history(&stocks::sku(number)?, *length, clock)?;
        for transaction in history {
            waiting += transaction.events.len();
            batch.push(transaction);
            if waiting >= BATCH {
                waiting = 0;
                append(&opened, std::mem::take(&mut batch)).await?;
            }
        }
    }
    append(&opened, batch).await?;
    opened.settle().await?;
    Ok(opened)
}

async fn append(opened: &Opened, batch: Vec<AppendTransaction>) -> Result<()> {
    let verdicts = opened.log.append(batch).await?;
    let committed = |verdict: &Verdict| matches!(verdict, Verdict::Committed { .. });
    ensure!(verdicts.iter().all(committed), "the history of the load did not pass");
    Ok(())
}

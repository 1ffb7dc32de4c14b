//! A log with a history, so that nothing is measured on empty tables.

use anyhow::{Result, ensure};
use event_store::Verdict;
use service_kit::clock::Clock;

use super::backend::{Backend, Opened};
use super::stocks;

/// Events that are appended at once, about.
const BATCH: usize = 2_000;

/// Opens a log and loads so many stocks with so many events each.
pub(super) async fn open(
    backend: Backend,
    postgres: &str,
    streams: u32,
    length: u32,
    clock: &Clock,
) -> Result<Opened> {
    let opened = backend.open(postgres).await?;
    let (mut batch, mut waiting) = (Vec::new(), 0);
    for number in 0..streams {
        let history = stocks::history(&stocks::sku(number)?, length, clock)?;
        waiting += history.iter().map(|transaction| transaction.events.len()).sum::<usize>();
        batch.extend(history);
        if waiting >= BATCH || number + 1 == streams {
            waiting = 0;
            let verdicts = opened.log.append(std::mem::take(&mut batch)).await?;
            let committed = |verdict: &Verdict| matches!(verdict, Verdict::Committed { .. });
            ensure!(verdicts.iter().all(committed), "the history of the load did not pass");
        }
    }
    opened.settle().await?;
    Ok(opened)
}

//! Payments by the log: all of it is read, because what was begun in a period may have been captured or paid back since.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, Utc};
use domain::decide::Aggregate as _;
use domain::event::Event;
use domain::payments::Payment;
use event_store::RecordedEvent;
use futures::TryStreamExt as _;

use crate::data_dir::ReadLog;

/// A payment, by the log.
#[derive(Debug, Default)]
pub(super) struct Logged {
    pub(super) payment: Payment,
    /// When the first of its events was recorded, and the last.
    pub(super) begun: DateTime<Utc>,
    pub(super) changed: DateTime<Utc>,
}

/// Every payment of the log.
pub(super) async fn payments(log: &ReadLog) -> Result<BTreeMap<String, Logged>> {
    let head = *log.head().borrow();
    let mut found = BTreeMap::new();
    let mut pages = log.read_on(0, head);
    while let Some(page) = pages.try_next().await.context("the log can't be read")? {
        for recorded in &page {
            observe(&mut found, recorded)?;
        }
    }
    Ok(found)
}

fn observe(found: &mut BTreeMap<String, Logged>, recorded: &RecordedEvent) -> Result<()> {
    if !recorded.stream.starts_with("payment-") {
        return Ok(());
    }
    let read = Event::from_json(&recorded.event_type, recorded.schema_version, &recorded.payload);
    let event = read.map_err(|cause| anyhow!("position {}: {cause}", recorded.position))?;
    let Event::Payment(event) = event else { return Ok(()) };
    let at = recorded.recorded_at;
    let known = found.entry(event.payment_id().to_string());
    let logged = known.or_insert_with(|| Logged { begun: at, ..Logged::default() });
    logged.payment = std::mem::take(&mut logged.payment).evolve(&event);
    logged.changed = at;
    Ok(())
}

//! The provider's own ledger, and the same as plain rows for the checker.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use command_service::payments::simulator::{EntryStatus, Ledger, LedgerEntry};
use domain::money::Currency;
use domain::payments::Operation;
use invariants::{LedgerRow, LedgerStatus};
use serde::Deserialize;

use crate::api::{Api, segment};
use crate::connect::ConnectArgs;

/// Rows that are read at once.
const PAGE: usize = 10_000;
/// Rows that are asked for at once: the most that is answered.
const ASKED: usize = 1_000;

/// The whole ledger; `None` when there is no such file.
pub(crate) async fn entries_in(path: &Path) -> Result<Option<Vec<LedgerEntry>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let unreadable = || format!("{} can't be read as the provider's ledger", path.display());
    let ledger = Ledger::open_read_only(path).await.with_context(unreadable)?;
    let mut entries = Vec::new();
    let mut after = 0;
    loop {
        let page = ledger.page(None, after, PAGE).await.with_context(unreadable)?;
        let Some(last) = page.last() else { break };
        after = last.number;
        entries.extend(page);
    }
    ledger.close().await;
    Ok(Some(entries))
}

/// A page of the ledger, as its server tells it.
#[derive(Deserialize)]
struct Page {
    items: Vec<LedgerEntry>,
    next: Option<String>,
}

/// The whole ledger of a provider that is a process of its own.
pub(crate) async fn entries_at(url: &str, connect: &ConnectArgs) -> Result<Vec<LedgerEntry>> {
    let unreadable = || format!("the provider's ledger can't be read from {url}");
    let api = Api::at(url, connect)?;
    let mut entries = Vec::new();
    let mut path = format!("/v1/simulator/ledger?limit={ASKED}");
    loop {
        let answer = api.get(&path).await.with_context(unreadable)?;
        let page: Page = serde_json::from_value(answer).with_context(unreadable)?;
        entries.extend(page.items);
        let Some(next) = page.next else { return Ok(entries) };
        path = format!("/v1/simulator/ledger?limit={ASKED}&cursor={}", segment(&next));
    }
}

/// The same as plain rows; `None` when there is no such file.
pub(super) async fn read(path: &Path) -> Result<Option<Vec<LedgerRow>>> {
    let unreadable = || format!("{} can't be read as the provider's ledger", path.display());
    let Some(entries) = entries_in(path).await? else { return Ok(None) };
    entries.iter().map(row).collect::<Result<_>>().with_context(unreadable).map(Some)
}

/// The same of a provider that is a process of its own.
pub(super) async fn ask(url: &str, connect: &ConnectArgs) -> Result<Vec<LedgerRow>> {
    let unreadable = || format!("the provider's ledger can't be read from {url}");
    entries_at(url, connect).await?.iter().map(row).collect::<Result<_>>().with_context(unreadable)
}

fn row(entry: &LedgerEntry) -> Result<LedgerRow> {
    let operations = [Operation::Authorize, Operation::Capture, Operation::Void, Operation::Refund];
    let operation = operations.into_iter().find(|known| known.name() == entry.operation);
    Ok(LedgerRow {
        payment_id: entry.payment_id.clone(),
        operation: operation.ok_or_else(|| anyhow!("no operation `{}`", entry.operation))?,
        amount: entry.amount,
        currency: Currency::parse(&entry.currency)?,
        status: match entry.status {
            EntryStatus::Done => LedgerStatus::Done,
            EntryStatus::Refused | EntryStatus::Closed => LedgerStatus::NotDone,
        },
        key: entry.key.clone(),
    })
}

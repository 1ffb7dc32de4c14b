//! The provider's own ledger, as plain rows for the checker.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use command_service::payments::simulator::{EntryStatus, Ledger, LedgerEntry};
use domain::money::Currency;
use domain::payments::Operation;
use invariants::{LedgerRow, LedgerStatus};

/// Rows that are read at once.
const PAGE: usize = 10_000;

/// The whole ledger; `None` when there is no such file.
pub(super) async fn read(path: &Path) -> Result<Option<Vec<LedgerRow>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let unreadable = || format!("{} can't be read as the provider's ledger", path.display());
    let ledger = Ledger::open_read_only(path).await.with_context(unreadable)?;
    let mut rows = Vec::new();
    let mut after = 0;
    loop {
        let page = ledger.page(None, after, PAGE).await.with_context(unreadable)?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for entry in &page {
            rows.push(row(entry).with_context(unreadable)?);
        }
    }
    ledger.close().await;
    Ok(Some(rows))
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

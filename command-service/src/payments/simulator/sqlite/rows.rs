//! A row of the ledger, and back.

use chrono::{DateTime, Utc};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row, Sqlite};

use crate::payments::simulator::entry::{EntryStatus, LedgerEntry};

/// Reads a row of the columns in `COLUMNS` order.
pub(super) fn read(row: &SqliteRow) -> Result<LedgerEntry, sqlx::Error> {
    let status: String = row.try_get("status")?;
    let status = EntryStatus::parse(&status)
        .ok_or_else(|| sqlx::Error::Decode(format!("no such status: {status}").into()))?;
    Ok(LedgerEntry {
        number: row.try_get("number")?,
        key: row.try_get("key")?,
        payment_id: row.try_get("payment_id")?,
        operation: row.try_get("operation")?,
        amount: row.try_get("amount")?,
        currency: row.try_get("currency")?,
        status,
        code: row.try_get("code")?,
        retriable: row.try_get("retriable")?,
        method: row.try_get("method")?,
        expires_at: row.try_get::<Option<DateTime<Utc>>, _>("expires_at")?,
        at: row.try_get("at")?,
    })
}

/// Binds what an insert takes, in its order.
pub(super) fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    entry: &'q LedgerEntry,
) -> Query<'q, Sqlite, SqliteArguments> {
    query
        .bind(&entry.key)
        .bind(&entry.payment_id)
        .bind(&entry.operation)
        .bind(entry.amount)
        .bind(&entry.currency)
        .bind(entry.status.name())
        .bind(&entry.code)
        .bind(entry.retriable)
        .bind(&entry.method)
        .bind(entry.expires_at)
        .bind(entry.at)
}

//! Opening, reading and writing the ledger.

use std::collections::HashMap;
use std::path::Path;

use storage::{BulkStatement, Database, Durability, WriteTransaction, migrator};

use super::rows;
use crate::payments::simulator::entry::LedgerEntry;

const MIGRATIONS: &[(&str, &str)] = &[("ledger", include_str!("migrations/0001_ledger.sql"))];

const OF_PAYMENTS: &str = "SELECT number, key, payment_id, operation, amount, currency, status, code, retriable, \
     method, expires_at, at FROM entries WHERE payment_id IN (SELECT value FROM json_each($1)) ORDER BY number";

const PAGE: &str = "SELECT number, key, payment_id, operation, amount, currency, status, code, retriable, \
     method, expires_at, at FROM entries WHERE number > $1 AND ($2 IS NULL OR payment_id = $2) ORDER BY number LIMIT $3";

static INSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO entries (key, payment_id, operation, amount, currency, status, code, retriable, method, expires_at, at)",
    11,
    "",
);

/// The provider's book.
#[derive(Debug, Clone)]
pub struct Ledger {
    database: Database,
}

impl Ledger {
    /// Opens the book, making it if need be.
    pub async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let database = Database::open(path, Durability::Full, 2).await?;
        migrator(MIGRATIONS).run(database.writer()).await?;
        Ok(Self { database })
    }

    /// Opens a book that exists, to look at it only.
    pub async fn open_read_only(path: &Path) -> Result<Self, sqlx::Error> {
        Ok(Self { database: Database::open_read_only(path, 1).await? })
    }

    /// At most `limit` entries after the one numbered `after`, in order, of one payment or of all.
    pub async fn page(
        &self,
        payment_id: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, sqlx::Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query = sqlx::query(PAGE).bind(after).bind(payment_id).bind(limit);
        let rows = query.fetch_all(self.database.reader()).await?;
        rows.iter().map(rows::read).collect()
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// All entries of these payments, by payment, each in order.
    pub(in crate::payments::simulator) async fn of_payments(
        &self,
        payments: &[&str],
    ) -> Result<HashMap<String, Vec<LedgerEntry>>, sqlx::Error> {
        let names = serde_json::to_string(payments).unwrap_or_default();
        let rows = sqlx::query(OF_PAYMENTS).bind(names).fetch_all(self.database.reader()).await?;
        let mut found: HashMap<String, Vec<LedgerEntry>> = HashMap::new();
        for row in &rows {
            let entry = rows::read(row)?;
            found.entry(entry.payment_id.clone()).or_default().push(entry);
        }
        Ok(found)
    }

    /// Writes these entries with one commit.
    pub(in crate::payments::simulator) async fn write(
        &self,
        entries: &[LedgerEntry],
    ) -> Result<(), sqlx::Error> {
        let mut transaction = WriteTransaction::begin(self.database.writer()).await?;
        INSERT.execute(transaction.connection(), entries, rows::bind).await?;
        transaction.commit().await
    }
}

//! The erasure: the key's row becomes a tombstone, and the key's bytes leave the disk.

use chrono::{DateTime, Utc};
use storage::Database;

/// The first erasure's time stays. `secure_delete` overwrites the key in its page.
const ERASE: &str = "INSERT INTO keys (person, erased_at) VALUES ($1, $2)
    ON CONFLICT (person) DO UPDATE SET wrapped = NULL, erased_at = excluded.erased_at
    WHERE erased_at IS NULL";

pub(super) async fn person(
    database: &Database,
    person: &str,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(ERASE).bind(person).bind(at.timestamp_micros()).execute(database.writer()).await?;
    // The old page is still in the write-ahead log, and the new one is not in the file yet. Done also when the row
    // was a tombstone already: the erasure before may have failed here.
    database.truncate_log().await
}

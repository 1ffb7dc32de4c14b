//! The erasure: the key's row becomes a tombstone, and the key's bytes leave the disk.

use chrono::{DateTime, Utc};
use storage::Database;

use crate::keys::sql::statements;

pub(super) async fn person(
    database: &Database,
    person: &str,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    // `secure_delete` overwrites the key in its page.
    let erase = sqlx::query(statements::ERASE).bind(person).bind(at.timestamp_micros());
    erase.execute(database.writer()).await?;
    // The old page is still in the write-ahead log, and the new one is not in the file yet. Done also when the row
    // was a tombstone already: the erasure before may have failed here.
    database.truncate_log().await
}

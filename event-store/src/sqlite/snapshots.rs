//! Snapshots: a cache beside the log.

use std::sync::Arc;

use sqlx::SqlitePool;

use storage::WriteTransaction;

use crate::sql::rows::integer;
use crate::types::Snapshot;

/// An older one of the same schema never replaces a newer one; one that is ahead of its stream is no fold of it.
const SAVE: &str = "INSERT INTO snapshots (stream, schema_hash, version, state)
    SELECT $1, $2, $3, $4
    WHERE $3 <= (SELECT coalesce(max(version), 0) FROM events WHERE stream = $1)
    ON CONFLICT (stream) DO UPDATE
    SET schema_hash = excluded.schema_hash, version = excluded.version, state = excluded.state
    WHERE schema_hash <> excluded.schema_hash OR version < excluded.version";

pub(super) async fn save(
    writer: &SqlitePool,
    schema_hash: u64,
    snapshots: Vec<Snapshot>,
) -> Result<(), sqlx::Error> {
    // Few and seldom: a statement each.
    let mut transaction = WriteTransaction::begin(writer).await?;
    for snapshot in snapshots {
        sqlx::query(SAVE)
            .bind(Arc::clone(&snapshot.stream))
            .bind(schema_hash.cast_signed())
            .bind(integer(snapshot.version))
            .bind(snapshot.state)
            .execute(transaction.connection())
            .await?;
    }
    transaction.commit().await
}

//! Snapshots: a cache beside the log.

use sqlx::PgConnection;

use crate::sql::rows::integer;
use crate::types::Snapshot;

/// An older one of the same schema never replaces a newer one; one that is ahead of its stream is no fold of it. In
/// order of their streams, so that two writers can't wait for each other.
const SAVE: &str = "INSERT INTO snapshots (stream, schema_hash, version, state)
    SELECT DISTINCT ON (new.stream) new.stream, $1, new.version, new.state
    FROM unnest($2::text[], $3::bigint[], $4::text[]) AS new (stream, version, state)
    WHERE new.version <= (SELECT coalesce(max(version), 0) FROM events WHERE stream = new.stream)
    ORDER BY new.stream, new.version DESC
    ON CONFLICT (stream) DO UPDATE
    SET schema_hash = excluded.schema_hash, version = excluded.version, state = excluded.state
    WHERE snapshots.schema_hash <> excluded.schema_hash OR snapshots.version < excluded.version";

pub(super) async fn save(
    connection: &mut PgConnection,
    schema_hash: u64,
    snapshots: &[Snapshot],
) -> Result<(), sqlx::Error> {
    let streams: Vec<&str> = snapshots.iter().map(|snapshot| &*snapshot.stream).collect();
    let versions: Vec<i64> = snapshots.iter().map(|snapshot| integer(snapshot.version)).collect();
    let states: Vec<&str> = snapshots.iter().map(|snapshot| &*snapshot.state).collect();
    sqlx::query(SAVE)
        .bind(schema_hash.cast_signed())
        .bind(streams)
        .bind(versions)
        .bind(states)
        .execute(connection)
        .await?;
    Ok(())
}

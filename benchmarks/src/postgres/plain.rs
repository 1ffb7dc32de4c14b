//! The same rows in tables of the same shape, without a judgement, a lock or a token: what the server can do at best.

use anyhow::Result;
use sqlx::PgConnection;

use super::batches::Rows;

const TABLES: [&str; 4] = [
    "CREATE TABLE plain_events (LIKE events INCLUDING ALL)",
    "CREATE TABLE plain_commands (LIKE commands INCLUDING ALL)",
    "CREATE TABLE json_events (LIKE events INCLUDING ALL)",
    "CREATE TABLE json_commands (LIKE commands INCLUDING ALL)",
];

const ARRAYS: &str = "WITH inserted AS (
        INSERT INTO plain_events (position, stream, version, id, type, schema_version, payload, metadata, recorded_at)
        SELECT position, stream, version, id, type, 1, payload, metadata, 0
        FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[])
            AS new (position, stream, version, id, type, payload, metadata)
    )
    INSERT INTO plain_commands (command_id, request_hash, status, body, version, position)
    SELECT id, $11, 201, body, 1, position
    FROM unnest($8::text[], $9::text[], $10::bigint[]) AS new (id, body, position)";

/// The batch as one JSON document, an array a column.
const JSON: &str = "WITH inserted AS (
        INSERT INTO json_events (position, stream, version, id, type, schema_version, payload, metadata, recorded_at)
        SELECT position::bigint, stream, version::bigint, id::uuid, type, 1, payload, metadata, 0
        FROM ROWS FROM (
            jsonb_array_elements_text($1 -> 'positions'), jsonb_array_elements_text($1 -> 'streams'),
            jsonb_array_elements_text($1 -> 'versions'), jsonb_array_elements_text($1 -> 'ids'),
            jsonb_array_elements_text($1 -> 'types'), jsonb_array_elements_text($1 -> 'payloads'),
            jsonb_array_elements_text($1 -> 'metadata')
        ) AS new (position, stream, version, id, type, payload, metadata)
    )
    INSERT INTO json_commands (command_id, request_hash, status, body, version, position)
    SELECT id, $2, 201, body, 1, position::bigint
    FROM ROWS FROM (
        jsonb_array_elements_text($1 -> 'commands'), jsonb_array_elements_text($1 -> 'bodies'),
        jsonb_array_elements_text($1 -> 'answered')
    ) AS new (id, body, position)";

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
/// A transaction has its snapshot from its first statement on.
const LOOK: &str = "SELECT count(*) FROM log_writer";

const HASH: [u8; 32] = [7; 32];

pub(super) async fn create_tables(connection: &mut PgConnection) -> Result<()> {
    for table in TABLES {
        sqlx::query(table).execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn insert_arrays(connection: &mut PgConnection, rows: &Rows) -> Result<()> {
    sqlx::query(ARRAYS)
        .bind(&rows.positions)
        .bind(&rows.streams)
        .bind(&rows.versions)
        .bind(&rows.ids)
        .bind(&rows.types)
        .bind(&rows.payloads)
        .bind(&rows.metadata)
        .bind(&rows.commands)
        .bind(&rows.bodies)
        .bind(&rows.answered)
        .bind(&HASH[..])
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn insert_json(connection: &mut PgConnection, rows: &Rows) -> Result<()> {
    sqlx::query(JSON).bind(sqlx::types::Json(rows)).bind(&HASH[..]).execute(connection).await?;
    Ok(())
}

/// Opens a transaction and leaves it open.
pub(super) async fn hold_snapshot(connection: &mut PgConnection) -> Result<()> {
    sqlx::query(BEGIN).execute(&mut *connection).await?;
    sqlx::query(LOOK).execute(connection).await?;
    Ok(())
}

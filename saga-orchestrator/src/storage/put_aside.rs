//! The log is another history from some position on, as after a restore: what was folded from the old one is put aside, to
//! be looked at, and everything begins anew. Or it still stands on the new one, and only the epoch is another.

use storage::Connection;

/// What people may want to look at later. The same in both dialects; a copy has no keys.
const MAKE: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS sagas_put_aside AS
        SELECT CAST(0 AS BIGINT) AS before_epoch, id, kind, order_id, state, step, since, version, cause_position, data
        FROM sagas WHERE 1 = 0",
    "CREATE TABLE IF NOT EXISTS outbox_put_aside AS
        SELECT CAST(0 AS BIGINT) AS before_epoch, command_id, saga_id, body, created_at, sends
        FROM outbox WHERE 1 = 0",
    "CREATE TABLE IF NOT EXISTS operator_actions_put_aside AS
        SELECT CAST(0 AS BIGINT) AS before_epoch, key, request, saga_id, answer, acted_at
        FROM operator_actions WHERE 1 = 0",
];
const KEEP: [&str; 3] = [
    "INSERT INTO sagas_put_aside
        SELECT CAST($1 AS BIGINT), id, kind, order_id, state, step, since, version, cause_position, data FROM sagas",
    "INSERT INTO outbox_put_aside
        SELECT CAST($1 AS BIGINT), command_id, saga_id, body, created_at, sends FROM outbox",
    "INSERT INTO operator_actions_put_aside
        SELECT CAST($1 AS BIGINT), key, request, saga_id, answer, acted_at FROM operator_actions",
];
const EMPTY: [&str; 4] = [
    "DELETE FROM outbox",
    "DELETE FROM operator_actions",
    "DELETE FROM sagas",
    "DELETE FROM clock",
];
const BEGIN_ANEW: &str = "UPDATE checkpoint SET position = 0, event_id = NULL WHERE singleton = 1";
const ENTER: &str = "UPDATE checkpoint SET epoch = $1 WHERE singleton = 1";

/// Puts everything aside, and stands before the first event.
pub(crate) async fn put_aside(connection: &mut Connection, epoch: u32) -> Result<(), sqlx::Error> {
    for make in MAKE {
        connection.query(make).execute().await?;
    }
    for keep in KEEP {
        connection.query(keep).bind(i64::from(epoch)).execute().await?;
    }
    for statement in EMPTY.into_iter().chain([BEGIN_ANEW]) {
        connection.query(statement).execute().await?;
    }
    Ok(())
}

/// What is here is of this epoch from now on.
pub(crate) async fn enter_epoch(
    connection: &mut Connection,
    epoch: u32,
) -> Result<(), sqlx::Error> {
    connection.query(ENTER).bind(i64::from(epoch)).execute().await?;
    Ok(())
}

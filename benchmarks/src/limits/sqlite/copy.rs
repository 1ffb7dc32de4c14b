//! The events of a log once more, as plain rows in a file of their own: many of them with every statement.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};
use storage::{Database, Durability};

/// Events of a statement, and so of a commit.
const TOGETHER: usize = 500;

const SHAPE: &str = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'events'";
const ALL: &str =
    "SELECT position, stream, version, id, type, schema_version, payload, metadata, recorded_at
    FROM events ORDER BY position";
const BULK: &str = "INSERT INTO events
    (position, stream, version, id, type, schema_version, payload, metadata, recorded_at) ";

/// What was inserted, and how long that took.
pub(crate) struct Copied {
    pub(crate) events: usize,
    pub(crate) took: Duration,
}

/// Copies the events of the log in this file.
pub(crate) async fn copied(log: &Path) -> Result<Copied> {
    let from = Database::open_read_only(log, 1).await?;
    let shape: String = sqlx::query_scalar(SHAPE).fetch_one(from.reader()).await?;
    let rows = sqlx::query(ALL).fetch_all(from.reader()).await?;
    from.reader().close().await;
    let folder = tempfile::tempdir()?;
    let to = Database::open(&folder.path().join("copy.db"), Durability::Full, 1).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(shape)).execute(to.writer()).await?;
    let begun = Instant::now();
    for some in rows.chunks(TOGETHER) {
        insert(&to, some).await?;
    }
    let took = begun.elapsed();
    to.close().await;
    Ok(Copied { events: rows.len(), took })
}

async fn insert(to: &Database, rows: &[SqliteRow]) -> Result<()> {
    let mut statement = QueryBuilder::<Sqlite>::new(BULK);
    let mut failed = Ok(());
    statement.push_values(rows, |mut values, row| {
        let mut bind = || -> Result<(), sqlx::Error> {
            values.push_bind(row.try_get::<i64, _>(0)?).push_bind(row.try_get::<&str, _>(1)?);
            values.push_bind(row.try_get::<i64, _>(2)?).push_bind(row.try_get::<&[u8], _>(3)?);
            values.push_bind(row.try_get::<&str, _>(4)?).push_bind(row.try_get::<i64, _>(5)?);
            values.push_bind(row.try_get::<&str, _>(6)?).push_bind(row.try_get::<&str, _>(7)?);
            values.push_bind(row.try_get::<i64, _>(8)?);
            Ok(())
        };
        if let Err(error) = bind() {
            failed = Err(error);
        }
    });
    failed?;
    statement.build().execute(to.writer()).await?;
    Ok(())
}

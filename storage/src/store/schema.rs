//! A schema of a PostgreSQL database, as the home of one service's tables.

use std::sync::Arc;

use crate::Durability;
use crate::postgres::{PostgresPool, PostgresSettings};

/// Connections that write: the one task that does, its lease, and a replacement for one that hangs.
const WRITERS: u32 = 2;

const EXISTS: &str = "SELECT to_regnamespace($1) IS NOT NULL";
/// Two that make it at the same moment would collide. The lock ends with its transaction.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock(7065736348736064)";

/// Pools whose sessions see one schema.
pub(super) struct Schema {
    pub(super) settings: PostgresSettings,
    pub(super) writer: PostgresPool,
    pub(super) reader: PostgresPool,
}

impl Schema {
    pub(super) fn open(
        settings: &PostgresSettings,
        schema: &str,
        beside: Option<&str>,
        readers: u32,
        durability: Durability,
    ) -> Arc<Self> {
        let path = beside.map_or_else(|| schema.to_owned(), |other| format!("{schema},{other}"));
        let settings = settings.clone().session("search_path", &path);
        let writing = kept_as(durability, by_index(settings.clone()));
        let writer = PostgresPool::new(&writing.connections(WRITERS));
        let reader = PostgresPool::new(&settings.clone().connections(readers));
        Arc::new(Self { settings, writer, reader })
    }

    pub(super) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Whoever writes looks things up by key: in an index, by a plan that is made once. A table's statistics are of yesterday,
/// and a queue that was empty then is read whole by them, with all that was deleted since.
fn by_index(settings: PostgresSettings) -> PostgresSettings {
    let off = ["enable_seqscan", "jit"];
    let settings = off.into_iter().fold(settings, |settings, name| settings.session(name, "off"));
    settings.session("plan_cache_mode", "force_generic_plan")
}

/// What can be made anew does not wait for the disk: a crash of the server may take its last commits back, each whole, with
/// the checkpoint that they moved.
fn kept_as(durability: Durability, settings: PostgresSettings) -> PostgresSettings {
    match durability {
        Durability::Full => settings,
        Durability::Rebuildable => settings.session("synchronous_commit", "off"),
    }
}

/// Whether there is such a schema.
pub(super) async fn exists(settings: &PostgresSettings, schema: &str) -> Result<bool, sqlx::Error> {
    check_name(schema)?;
    let pool = PostgresPool::new(&settings.clone().connections(1));
    let exists = pool.call(async |connection| {
        sqlx::query_scalar(EXISTS).bind(schema).fetch_one(connection).await
    });
    let exists = exists.await?;
    pool.close().await;
    Ok(exists)
}

/// Deletes the schema with all that is in it.
pub(super) async fn remove(settings: &PostgresSettings, schema: &str) -> Result<(), sqlx::Error> {
    check_name(schema)?;
    let pool = PostgresPool::new(&settings.clone().connections(1));
    let remove =
        format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {schema} CASCADE");
    let removed = pool.call(async |connection| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(remove)).execute(connection).await.map(drop)
    });
    removed.await?;
    pool.close().await;
    Ok(())
}

/// Makes the schema, unless an administrator did.
pub(super) async fn make(settings: &PostgresSettings, schema: &str) -> Result<(), sqlx::Error> {
    check_name(schema)?;
    let pool = PostgresPool::new(&settings.clone().connections(1));
    let made = pool.call(async |connection| {
        let exists: bool =
            sqlx::query_scalar(EXISTS).bind(schema).fetch_one(&mut *connection).await?;
        if exists {
            return Ok(());
        }
        let make = format!("BEGIN; {LOCK}; CREATE SCHEMA IF NOT EXISTS {schema}; COMMIT");
        sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(connection).await.map(drop)
    });
    made.await?;
    pool.close().await;
    Ok(())
}

/// Makes the schema, as its owner, and lets another role make tables in it. Again is harmless, also beside another, such as one whose
/// process was killed: two grants at the same moment would collide.
pub(super) async fn make_for(
    settings: &PostgresSettings,
    schema: &str,
    role: &str,
) -> Result<(), sqlx::Error> {
    make(settings, schema).await?;
    let role = role.replace('"', "\"\"");
    let grant =
        format!("BEGIN; {LOCK}; GRANT USAGE, CREATE ON SCHEMA {schema} TO \"{role}\"; COMMIT");
    let pool = PostgresPool::new(&settings.clone().connections(1));
    let granted = pool.call(async |connection| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(grant)).execute(connection).await.map(drop)
    });
    granted.await?;
    pool.close().await;
    Ok(())
}

/// It is written into statements and settings.
pub(super) fn check_name(schema: &str) -> Result<(), sqlx::Error> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins = schema.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && schema.len() < 64 && schema.chars().all(plain) {
        return Ok(());
    }
    let wanted = "a schema's name has lower-case letters, digits and underscores";
    Err(sqlx::Error::Configuration(format!("{wanted}: `{schema}` does not").into()))
}

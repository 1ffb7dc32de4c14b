//! Digests of a model's tables, and a comparison row for row.

use aws_lc_rs::digest::{Context, SHA256};
use futures::{Stream, TryStreamExt};
use serde_json::Value;
use storage::Connection;

use crate::model::Definition;

/// Members of documents that differ between two runs of the same business: times, versions, sealed bytes.
const UNSTABLE: [&str; 7] =
    ["version", "created_at", "placed_at", "registered_at", "expires_at", "sealed", "position"];

/// The digest of one table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct TableDigest {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 over them in the order of their keys, in hex.
    pub digest: String,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// The row here; `None` when it is missing.
    pub left: Option<String>,
    /// The row there; `None` when it is missing.
    pub right: Option<String>,
}

/// Digests over every row, whole.
pub async fn digest(
    connection: &mut Connection,
    definition: &Definition,
) -> Result<Vec<TableDigest>, sqlx::Error> {
    let mut digests = Vec::new();
    for table in definition.tables {
        digests.push(digest_of(rows(&mut *connection, table.rows), table.name, |row| row).await?);
    }
    Ok(digests)
}

/// Digests over what two runs of the same business have in common: no times, versions or sealed bytes.
pub async fn digest_stable(
    connection: &mut Connection,
    definition: &Definition,
) -> Result<Vec<TableDigest>, sqlx::Error> {
    let mut digests = Vec::new();
    for table in definition.tables {
        let rows = rows(&mut *connection, table.stable);
        digests.push(digest_of(rows, table.name, stable_text).await?);
    }
    Ok(digests)
}

/// The first `limit` rows that differ between two generations.
pub async fn differences(
    left: &mut Connection,
    right: &mut Connection,
    definition: &Definition,
    limit: usize,
) -> Result<Vec<Difference>, sqlx::Error> {
    let mut found = Vec::new();
    for table in definition.tables {
        let mut lefts = rows(&mut *left, table.rows);
        let mut rights = rows(&mut *right, table.rows);
        let (mut one, mut other) = (lefts.try_next().await?, rights.try_next().await?);
        while found.len() < limit && (one.is_some() || other.is_some()) {
            let order = match (&one, &other) {
                (Some(one), Some(other)) => one.0.cmp(&other.0),
                (Some(_), None) => std::cmp::Ordering::Less,
                _ => std::cmp::Ordering::Greater,
            };
            let here = if order.is_le() { one.take() } else { None };
            let there = if order.is_ge() { other.take() } else { None };
            if order.is_le() {
                one = lefts.try_next().await?;
            }
            if order.is_ge() {
                other = rights.try_next().await?;
            }
            let (here_row, there_row) =
                (here.as_ref().map(|row| &row.1), there.as_ref().map(|row| &row.1));
            if here_row != there_row {
                let key = here.as_ref().or(there.as_ref()).map(|row| row.0.clone());
                found.push(Difference {
                    table: table.name.to_owned(),
                    key: key.unwrap_or_default(),
                    left: here.map(|row| row.1),
                    right: there.map(|row| row.1),
                });
            }
        }
    }
    Ok(found)
}

fn rows<'c>(
    connection: &'c mut Connection,
    statement: &'static str,
) -> impl Stream<Item = Result<(String, String), sqlx::Error>> + Send + Unpin + 'c {
    let rows = connection.query(statement).fetch();
    Box::pin(rows.and_then(async |row| Ok((row.try_get(0)?, row.try_get(1)?))))
}

async fn digest_of(
    mut rows: impl Stream<Item = Result<(String, String), sqlx::Error>> + Unpin,
    table: &str,
    text: impl Fn(String) -> String,
) -> Result<TableDigest, sqlx::Error> {
    let mut context = Context::new(&SHA256);
    let mut count = 0;
    while let Some((key, row)) = rows.try_next().await? {
        for part in [key, text(row)] {
            // The length first, so that no two rows read as one.
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part.as_bytes());
        }
        count += 1;
    }
    let digest = context.finish();
    let mut hex = String::with_capacity(2 * digest.as_ref().len());
    for byte in digest.as_ref() {
        for half in [byte >> 4, byte & 0xf] {
            hex.extend(char::from_digit(u32::from(half), 16));
        }
    }
    Ok(TableDigest { table: table.to_owned(), rows: count, digest: hex })
}

fn stable_text(row: String) -> String {
    match serde_json::from_str::<Value>(&row) {
        Ok(mut value) => {
            prune(&mut value);
            value.to_string()
        }
        Err(_) => row,
    }
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !UNSTABLE.contains(&name.as_str()));
            members.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

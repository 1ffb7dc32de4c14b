//! Digests of a model's tables, and a comparison row for row.
//!
//! **Invariant:** a row is all of its columns, whatever they are: a column that is added is compared without a word here.

use std::cmp::Ordering;

use aws_lc_rs::digest::{Context, SHA256};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use storage::{Connection, Row};

use crate::model::{Definition, Table};

/// Columns, and members of documents, that differ between two runs of the same business: times, versions, sealed bytes.
const UNSTABLE: [&str; 8] = [
    "version",
    "created_at",
    "placed_at",
    "listed_at",
    "registered_at",
    "expires_at",
    "sealed",
    "position",
];
/// The column that holds a row as JSON.
const DOCUMENT: &str = "doc";

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
    /// What differs of the row here; `None` when it is missing.
    pub left: Option<String>,
    /// What differs of the row there; `None` when it is missing.
    pub right: Option<String>,
}

/// What of its rows a digest is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Stable,
}

/// Digests over every row, whole.
pub async fn digest(
    connection: &mut Connection,
    definition: &Definition,
) -> Result<Vec<TableDigest>, sqlx::Error> {
    digests(connection, definition, Of::All).await
}

/// Digests over what two runs of the same business have in common: no times, versions or sealed bytes.
pub async fn digest_stable(
    connection: &mut Connection,
    definition: &Definition,
) -> Result<Vec<TableDigest>, sqlx::Error> {
    digests(connection, definition, Of::Stable).await
}

async fn digests(
    connection: &mut Connection,
    definition: &Definition,
    of: Of,
) -> Result<Vec<TableDigest>, sqlx::Error> {
    let mut digests = Vec::new();
    for table in definition.tables {
        digests.push(digest_of(connection, table, of).await?);
    }
    Ok(digests)
}

async fn digest_of(
    connection: &mut Connection,
    table: &Table,
    of: Of,
) -> Result<TableDigest, sqlx::Error> {
    let mut rows = connection.query(table.rows).fetch();
    let mut context = Context::new(&SHA256);
    let mut count = 0;
    let mut columns: Option<Vec<Taken>> = None;
    while let Some(row) = rows.try_next().await? {
        for column in columns.get_or_insert_with(|| taken(&row, of)) {
            let value = row.written(column.place)?;
            match value {
                Some(document) if column.is_pruned => add(&mut context, Some(&pruned(&document))),
                value => add(&mut context, value.as_deref()),
            }
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
    Ok(TableDigest { table: table.name.to_owned(), rows: count, digest: hex })
}

/// A column that a digest is made of.
struct Taken {
    place: usize,
    is_pruned: bool,
}

fn taken(row: &Row, of: Of) -> Vec<Taken> {
    let is_stable = of == Of::Stable;
    let columns = row.columns().into_iter().enumerate();
    let columns = columns.filter(|(_, name)| !(is_stable && UNSTABLE.contains(name)));
    let taken = |(place, name)| Taken { place, is_pruned: is_stable && name == DOCUMENT };
    columns.map(taken).collect()
}

/// The length first, so that no two rows read as one.
fn add(context: &mut Context, value: Option<&str>) {
    let length = value.map_or(u64::MAX, |value| value.len() as u64);
    context.update(&length.to_le_bytes());
    context.update(value.unwrap_or_default().as_bytes());
}

fn pruned(document: &str) -> String {
    match serde_json::from_str::<Value>(document) {
        Ok(mut value) => {
            prune(&mut value);
            value.to_string()
        }
        Err(_) => document.to_owned(),
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

/// The first `limit` rows that differ between two generations.
pub async fn differences(
    left: &mut Connection,
    right: &mut Connection,
    definition: &Definition,
    limit: usize,
) -> Result<Vec<Difference>, sqlx::Error> {
    let mut found = Vec::new();
    for table in definition.tables {
        let mut lefts = whole(&mut *left, table);
        let mut rights = whole(&mut *right, table);
        let (mut one, mut other) = (lefts.try_next().await?, rights.try_next().await?);
        while found.len() < limit && (one.is_some() || other.is_some()) {
            let order = match (&one, &other) {
                (Some(one), Some(other)) => one.key.cmp(&other.key),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            let here = if order.is_le() { one.take() } else { None };
            let there = if order.is_ge() { other.take() } else { None };
            if order.is_le() {
                one = lefts.try_next().await?;
            }
            if order.is_ge() {
                other = rights.try_next().await?;
            }
            found.extend(difference(table, here.as_ref(), there.as_ref()));
        }
    }
    Ok(found)
}

/// A row with the values of its key, and all that is not its key by name.
struct Whole {
    key: Vec<String>,
    rest: Vec<(String, Option<String>)>,
}

fn whole<'c>(
    connection: &'c mut Connection,
    table: &'static Table,
) -> BoxStream<'c, Result<Whole, sqlx::Error>> {
    let whole = |row: Row| {
        let mut whole = Whole { key: vec![String::new(); table.key.len()], rest: Vec::new() };
        for (place, name) in row.columns().into_iter().enumerate() {
            let value = row.written(place)?.map(Into::into);
            match table.key.iter().position(|key| *key == name) {
                Some(at) => whole.key[at] = value.unwrap_or_default(),
                None => whole.rest.push((name.to_owned(), value)),
            }
        }
        Ok(whole)
    };
    connection.query(table.rows).fetch().map(move |row| row.and_then(whole)).boxed()
}

/// How two rows of one key differ, if they do: by their columns that do, or by all where there is but one.
fn difference(table: &Table, left: Option<&Whole>, right: Option<&Whole>) -> Option<Difference> {
    let key = left.or(right)?.key.join(" ");
    let told = |row: &Whole, other: Option<&Whole>| {
        let column = |(at, (name, value)): (usize, &(String, Option<String>))| {
            let same = other.and_then(|other| other.rest.get(at));
            let differs = same.is_none_or(|(_, same)| same != value);
            differs.then(|| format!("{name} = {}", value.as_deref().unwrap_or("NULL")))
        };
        row.rest.iter().enumerate().filter_map(column).collect::<Vec<_>>().join(", ")
    };
    let differs = left.map(|row| &row.rest) != right.map(|row| &row.rest);
    differs.then(|| Difference {
        table: table.name.to_owned(),
        key,
        left: left.map(|row| told(row, right)),
        right: right.map(|row| told(row, left)),
    })
}

//! Rows that are kept as JSON beside the columns that are searched.

use crate::model::Touched;
use serde::Serialize;
use serde::de::DeserializeOwned;
use storage::{Connection, Query};

/// Reads documents: the first column of each row.
pub(super) async fn fetch<R: DeserializeOwned>(query: Query<'_>) -> Result<Vec<R>, sqlx::Error> {
    let texts: Vec<String> = query.scalars().await?;
    texts.iter().map(|text| read(text)).collect()
}

/// The row of this key, by a statement that takes the key and gives the document.
pub(super) async fn find<R: DeserializeOwned>(
    connection: &mut Connection,
    statement: &'static str,
    key: &str,
) -> Result<Option<R>, sqlx::Error> {
    let found: Option<String> = connection.query(statement).bind(key).scalar_optional().await?;
    found.as_deref().map(read).transpose()
}

/// A document as a row.
fn read<R: DeserializeOwned>(text: &str) -> Result<R, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// The rows as they are now, each with its document.
pub(super) fn encode<R: Serialize>(rows: &[Touched<R>]) -> Result<Vec<(&R, String)>, sqlx::Error> {
    rows.iter().map(|row| Ok((&row.after, text(&row.after)?))).collect()
}

/// A row as a document.
pub(super) fn text<R: Serialize>(row: &R) -> Result<String, sqlx::Error> {
    serde_json::to_string(row).map_err(|error| sqlx::Error::Encode(error.into()))
}

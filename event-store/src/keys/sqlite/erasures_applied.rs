//! How far a log was read for erasures.

use sqlx::SqlitePool;

use crate::keys::sql::mark::{MarkRow, mark};
use crate::keys::sql::statements;
use crate::types::Mark;

pub(super) async fn find(reader: &SqlitePool) -> Result<Option<Mark>, sqlx::Error> {
    mark(sqlx::query(statements::ERASURES_APPLIED).fetch_optional(reader).await?)
}

pub(super) async fn note(
    writer: &SqlitePool,
    from: Option<&Mark>,
    to: &Mark,
) -> Result<bool, sqlx::Error> {
    let to = MarkRow::try_from(to)?;
    let statement =
        if from.is_some() { statements::MOVE_APPLIED } else { statements::FIRST_APPLIED };
    let mut query =
        sqlx::query(statement).bind(to.log).bind(to.epoch).bind(to.position).bind(to.event_id);
    if let Some(from) = from.map(MarkRow::try_from).transpose()? {
        query = query.bind(from.log).bind(from.epoch).bind(from.position);
        query = query.bind(from.event_id.unwrap_or_default());
    }
    Ok(query.execute(writer).await?.rows_affected() == 1)
}

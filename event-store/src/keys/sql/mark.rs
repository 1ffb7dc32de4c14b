//! How far a log was read for erasures, as the row has it.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::types::{LogIdentity, Mark};

/// A row of `erasures_applied`, and what its statements bind.
pub(crate) struct MarkRow {
    pub(crate) log: String,
    pub(crate) epoch: i64,
    pub(crate) position: i64,
    pub(crate) event_id: Option<String>,
}

impl TryFrom<&SqliteRow> for MarkRow {
    type Error = sqlx::Error;

    fn try_from(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let (log, epoch) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Self { log, epoch, position: row.try_get(2)?, event_id: row.try_get(3)? })
    }
}

impl TryFrom<&PgRow> for MarkRow {
    type Error = sqlx::Error;

    fn try_from(row: &PgRow) -> Result<Self, sqlx::Error> {
        let (log, epoch) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Self { log, epoch, position: row.try_get(2)?, event_id: row.try_get(3)? })
    }
}

impl TryFrom<&Mark> for MarkRow {
    type Error = sqlx::Error;

    fn try_from(mark: &Mark) -> Result<Self, sqlx::Error> {
        Ok(Self {
            log: mark.log.log.to_string(),
            epoch: i64::from(mark.log.epoch),
            position: i64::try_from(mark.position)
                .map_err(|error| sqlx::Error::Encode(error.into()))?,
            event_id: mark.event_id.map(|id| id.to_string()),
        })
    }
}

impl TryFrom<MarkRow> for Mark {
    type Error = sqlx::Error;

    fn try_from(row: MarkRow) -> Result<Self, sqlx::Error> {
        let decode = |error| sqlx::Error::Decode(error);
        let epoch = u32::try_from(row.epoch).map_err(|error| decode(error.into()))?;
        let event_id = row.event_id.map(|id| Uuid::parse_str(&id)).transpose();
        Ok(Self {
            log: LogIdentity { log: row.log.into(), epoch },
            position: u64::try_from(row.position).map_err(|error| decode(error.into()))?,
            event_id: event_id.map_err(|error| decode(error.into()))?,
        })
    }
}

/// What is noted, if anything is.
pub(crate) fn mark<R>(row: Option<R>) -> Result<Option<Mark>, sqlx::Error>
where
    for<'r> MarkRow: TryFrom<&'r R, Error = sqlx::Error>,
{
    row.map(|row| MarkRow::try_from(&row)?.try_into()).transpose()
}

//! What tells the master key of this store from any other.

use sqlx::SqlitePool;
use storage::Database;

use crate::keys::contract::MasterCheck;
use crate::keys::sql::statements;

/// A file that is only looked at may be from before there was a check.
const TABLE: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'master_key_check'";

pub(super) async fn find(reader: &SqlitePool) -> Result<Option<MasterCheck>, sqlx::Error> {
    if sqlx::query_scalar::<_, i64>(TABLE).fetch_one(reader).await? == 0 {
        return Ok(None);
    }
    let sealed = sqlx::query_scalar(statements::MASTER_CHECK).fetch_optional(reader).await?;
    Ok(sealed.map(|sealed| MasterCheck { sealed }))
}

pub(super) async fn keep(
    database: &Database,
    candidate: &MasterCheck,
) -> Result<MasterCheck, sqlx::Error> {
    let keep = sqlx::query(statements::KEEP_MASTER_CHECK).bind(candidate.sealed.as_slice());
    keep.execute(database.writer()).await?;
    let kept = sqlx::query_scalar(statements::MASTER_CHECK).fetch_one(database.writer()).await?;
    Ok(MasterCheck { sealed: kept })
}

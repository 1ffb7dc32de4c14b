//! Sagas that were put back from a backup together with the log that they followed.
//!
//! **Invariant:** nothing but the epoch is changed; whether they stand on that log is looked at when they start.

use ::storage::Location;
use sqlx::migrate::MigrateError;

use crate::storage;

/// The sagas here belong to this epoch of their log from now on. No orchestrator may run over them.
pub async fn enter_epoch(location: impl Into<Location>, epoch: u32) -> Result<(), MigrateError> {
    let store = storage::open(&location.into()).await?;
    let entered = async {
        let mut connection = store.writer().await?;
        storage::enter_epoch(&mut connection, epoch).await
    };
    let entered = entered.await;
    store.close().await;
    Ok(entered?)
}

//! The epoch of a log in PostgreSQL: its database keeps it, and lets only the one raise it that may append.

use event_store::postgres::PostgresLog;
use event_store::{EventLog, LogIdentity};
use futures::future::BoxFuture;

use super::owner::EpochKeeper;
use super::trouble::Cause;

impl EpochKeeper for PostgresLog {
    fn current(&self) -> BoxFuture<'_, Result<LogIdentity, Cause>> {
        // Its listener hears of every change.
        Box::pin(async { Ok(self.identity()) })
    }

    fn raise_above<'a>(
        &'a self,
        seen: u32,
        _why: &'a str,
    ) -> BoxFuture<'a, Result<LogIdentity, Cause>> {
        Box::pin(async move {
            loop {
                let raised = self.raise_epoch().await?;
                if raised.epoch > seen {
                    return Ok(raised);
                }
            }
        })
    }
}

//! Handing commands to the queue: new ones after their commit, all others again until the log shows their effect.

use std::sync::Arc;

use messaging::commands::CommandMessage;

use super::run::{RunError, Runner};
use crate::storage::OutboxRow;
use crate::tables::{Committing as _, Rows as _, Tables};

/// Commands sent again at once, at most: the rest is due at the next tick.
const RESEND_AT_MOST: u32 = 1_000;

impl<T: Tables> Runner<T> {
    /// Sends what was just committed. A queue that can't take it makes it due at once.
    pub(super) async fn send_new(&mut self, rows: Vec<OutboxRow>) -> Result<(), RunError> {
        if rows.is_empty() {
            return Ok(());
        }
        metrics::counter!("docket_saga_commands_sent_total").increment(rows.len() as u64);
        let ids: Vec<_> = rows.iter().map(|row| Arc::clone(&row.message.command_id)).collect();
        let messages = rows.into_iter().map(|row| row.message).collect();
        if let Err(error) = self.queue.send_in(self.checkpoint.log.epoch, messages).await {
            tracing::debug!(error = %error.0, commands = ids.len(), "the command queue refused; its messages are sent again");
            let mut transaction = self.begin(self.here()).await?;
            let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
            transaction.make_due(&ids, self.clock.now()).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Sends again what is due.
    pub(super) async fn resend(&mut self) -> Result<(), RunError> {
        let now = self.clock.now();
        let mut connection = self.store.writer().await?;
        let due = connection.read_due(now, RESEND_AT_MOST).await?;
        drop(connection);
        if due.is_empty() {
            return Ok(());
        }
        let ids: Vec<Arc<str>> = due.iter().map(id).collect();
        if let Err(error) = self.queue.send_in(self.checkpoint.log.epoch, due).await {
            tracing::debug!(error = %error.0, "the command queue refuses; the next tick tries again");
            return Ok(());
        }
        metrics::counter!("docket_saga_commands_resent_total").increment(ids.len() as u64);
        let mut transaction = self.begin(self.here()).await?;
        let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
        transaction.reschedule(&ids, now, self.settings.resend_every).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn id(message: &CommandMessage) -> Arc<str> {
    Arc::clone(&message.command_id)
}

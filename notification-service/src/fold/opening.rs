//! Where a session begins: after what was read last, once it is proven that the log still has it.

use event_store::LogIdentity;

use super::reader::Reader;
use crate::run_error::RunError;
use crate::storage::{self as tables, Checkpoint};

impl Reader {
    /// Reads where it stands, and compares that with the log. Who never stood anywhere begins at the log's end: nobody is told of
    /// what was before.
    pub(super) async fn open(&mut self) -> Result<(), RunError> {
        let identity = self.parts.feed.identity();
        let head = *self.parts.feed.head().borrow();
        // Where it begins stands nowhere else.
        let mut transaction = self.parts.store.begin_durable().await?;
        if !self.parts.fence.pass(&mut transaction).await? {
            return Err(RunError::LeaseLost);
        }
        tables::start_checkpoint(&mut transaction, &identity, head).await?;
        let found = tables::read_checkpoint(&mut transaction).await?;
        transaction.commit().await?;
        self.stand_at(found);
        self.compare(&identity).await
    }

    async fn compare(&mut self, identity: &LogIdentity) -> Result<(), RunError> {
        let was = self.checkpoint.log.clone();
        if was.log != identity.log || was.epoch > identity.epoch {
            let (is, position) = (identity, self.checkpoint.position);
            return Err(RunError::Fault {
                position,
                cause: format!(
                    "what was told is of log {}, epoch {}, and this is {}, epoch {}",
                    was.log, was.epoch, is.log, is.epoch
                ),
            });
        }
        let goes_on = self.stands_in_the_log().await?;
        if goes_on && was.epoch == identity.epoch {
            return Ok(());
        }
        let mut to = Checkpoint { log: identity.clone(), ..self.checkpoint.clone() };
        if !goes_on {
            // What was told is known by the events' ids: reading all of it again tells nobody twice.
            to = Checkpoint { position: 0, event_id: None, ..to };
            tracing::warn!(
                epoch = identity.epoch,
                position = self.checkpoint.position,
                "the log does not have what was told last, as after a restore: it is read again for what was not told"
            );
        }
        let mut transaction = self.parts.store.begin_durable().await?;
        if !self.parts.fence.pass(&mut transaction).await? {
            return Err(RunError::LeaseLost);
        }
        if !goes_on {
            tables::begin_by_time(&mut transaction).await?;
        }
        tables::begin_anew(&mut transaction, &to).await?;
        transaction.commit().await?;
        self.stand_at(to);
        self.parts.book.reload(&self.parts.store).await?;
        Ok(())
    }

    /// Whether the log has the event that was read last, or is at least as long where none was.
    async fn stands_in_the_log(&self) -> Result<bool, RunError> {
        let Some(before) = self.checkpoint.position.checked_sub(1) else { return Ok(true) };
        let found = self.parts.feed.read_all(before, 1).await?;
        let id = self.checkpoint.event_id;
        Ok(found.first().is_some_and(|event| id.is_none_or(|id| event.id == id)))
    }
}

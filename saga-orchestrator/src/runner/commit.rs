//! One commit: the lease and the checkpoint first, then what was seen done, the sagas that changed, what they want sent. The commands
//! go out right after it, never before.

use ::storage::Passed;
use event_store::Position;
use uuid::Uuid;

use super::order_sagas::OrderSagas;
use super::run::{RunError, Runner};
use super::work::Work;
use crate::tables::{Committing as _, Rows as _, Tables};

/// When the new commands of a commit go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ToSend {
    /// Right after the commit.
    Now,
    /// When the log was read to its head: most of them were answered long ago.
    Later,
}

impl<T: Tables> Runner<T> {
    /// Commits the work, remembers it, and hands its commands over.
    pub(super) async fn commit(&mut self, mut work: Work, send: ToSend) -> Result<(), RunError> {
        let changed = settle(&mut work)?;
        let now = self.clock.now();
        let to = work
            .last
            .as_ref()
            .map_or((self.checkpoint.position, self.checkpoint.event_id), |last| {
                (last.position, Some(last.id))
            });
        let (next_send_at, sends) = match send {
            ToSend::Now => (now + self.settings.resend_every, 1),
            ToSend::Later => (now, 0),
        };
        let mut transaction = match work.last {
            Some(_) => self.begin(to).await?,
            // Of an operator or of the clock.
            None => self.begin_here_durable().await?,
        };
        let mut done = 0;
        if !work.done.is_empty() {
            let ids: Vec<&str> = work.done.iter().map(AsRef::as_ref).collect();
            done = transaction.delete_done(&ids).await?;
        }
        self.write_changed(&mut transaction, &work, &changed).await?;
        let outbox = &work.outbox;
        let new = transaction.insert_outbox(outbox, now, next_send_at, sends).await?;
        if let Some((key, saga_id, action)) = &work.action {
            transaction.insert_action(key, saga_id, action, now).await?;
        }
        transaction.commit().await?;
        (self.checkpoint.position, self.checkpoint.event_id) = to;
        self.commands = (self.commands + new).saturating_sub(done);
        if let Some(last) = &work.last {
            self.folded_at = Some(last.recorded_at);
        }
        self.remember(&mut work, changed);
        self.tell();
        if send == ToSend::Now {
            self.send_new(work.outbox).await?;
        }
        Ok(())
    }

    /// Begins to write: the lease is compared and the checkpoint is compared and moved before anything else.
    pub(super) async fn begin(
        &self,
        to: (Position, Option<Uuid>),
    ) -> Result<T::Transaction, RunError> {
        self.begun(self.store.begin().await?, to).await
    }

    /// Begins to write what moves no checkpoint: it stands nowhere else, and no position would tell of its loss.
    pub(super) async fn begin_here_durable(&self) -> Result<T::Transaction, RunError> {
        self.begun(self.store.begin_durable().await?, self.here()).await
    }

    async fn begun(
        &self,
        mut transaction: T::Transaction,
        (position, event_id): (Position, Option<Uuid>),
    ) -> Result<T::Transaction, RunError> {
        let (fence, from) = (&self.fence, &self.checkpoint);
        match transaction.advance(fence, from, position, event_id).await? {
            Passed::Through => Ok(transaction),
            Passed::LeaseLost => Err(RunError::LeaseLost),
            Passed::Moved if transaction.read_position().await? < from.position => {
                Err(RunError::TakenBack)
            }
            Passed::Moved => Err(self.fault_here(
                "the checkpoint was moved: another orchestrator runs on this database",
            )),
        }
    }

    async fn write_changed(
        &self,
        transaction: &mut T::Rows,
        work: &Work,
        changed: &[(domain::ids::OrderId, usize)],
    ) -> Result<(), RunError> {
        let rows: Vec<_> = changed
            .iter()
            .filter_map(|(order_id, place)| {
                let sagas = work.orders.get(order_id)?;
                Some((sagas.saga(*place), sagas.row(*place)))
            })
            .collect();
        if transaction.write_sagas(&rows).await? {
            return Ok(());
        }
        Err(self.fault_here("a saga was not at the version that was read: somebody else writes"))
    }

    fn remember(&mut self, work: &mut Work, changed: Vec<(domain::ids::OrderId, usize)>) {
        for (order_id, place) in changed {
            let Some(sagas) = work.orders.get_mut(&order_id) else { continue };
            let (before, now) = sagas.written(place);
            if let Some(count) = before.and_then(|before| self.sagas.get_mut(&before)) {
                *count = count.saturating_sub(1);
            }
            *self.sagas.entry(now).or_default() += 1;
        }
        for (order_id, sagas) in work.orders.drain() {
            self.cache.put(order_id, sagas);
        }
    }
}

/// Everything that changed, readied for being written.
fn settle(work: &mut Work) -> Result<Vec<(domain::ids::OrderId, usize)>, RunError> {
    let mut changed = Vec::new();
    for (order_id, sagas) in &mut work.orders {
        let places = OrderSagas::settle(sagas).map_err(RunError::bug)?;
        changed.extend(places.into_iter().map(|place| (order_id.clone(), place)));
    }
    // In the order in which they began, so that lists and reruns agree.
    changed.sort_by_key(|(order_id, place)| {
        let row = work.orders.get(order_id).map(|sagas| sagas.row(*place));
        (row.map(|row| (row.version > 1, row.cause_position)), *place)
    });
    Ok(changed)
}

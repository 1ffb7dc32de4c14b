//! Parks keys of a generation, and applies what waited for one.
//!
//! **Invariant:** a key's events are applied, and forgotten as waiting, in one transaction that compares the checkpoint and leaves it
//! where it is: a crash before the commit leaves them all waiting, one after it leaves none.

use super::applier::{Applier, Stopped};
use super::apply::ApplyError;
use super::folding::Folded;
use super::stored::{Rows, Writing as _};
use crate::decoded::Decoded;
use crate::model::ReadModel;
use crate::storage::parked::{Parked, ParkedKey};

impl<M: ReadModel, G: Rows<M>> Applier<M, G> {
    /// Parks keys; what an operator decided must not be lost with the last commits.
    pub(super) async fn park_all(&mut self, keys: &[ParkedKey]) -> Result<(), ApplyError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut writing = self.begin_here().await?;
        for key in keys {
            writing.park(key).await?;
        }
        self.commit(writing).await?;
        for key in keys {
            self.parked.add(key);
        }
        Ok(())
    }

    /// Applies all that waits for a key, in order. Of what is given, what lies beyond the checkpoint does not wait: the database lost
    /// what it had committed last since that was looked up, and it comes again with the pages.
    pub(super) async fn release_one(
        &mut self,
        key: &str,
        events: &[Decoded],
    ) -> Result<(), ApplyError> {
        let mut writing = self.begin_here().await?;
        let events: Vec<&Decoded> =
            events.iter().filter(|event| event.position <= self.kept.position).collect();
        let folded = match self.load(&mut writing, &events).await {
            // Nothing is parked as far as these are concerned.
            Ok(loaded) => self.fold(loaded, &events, &Parked::default()),
            Err(stopped) => Err(stopped),
        };
        let rows = match folded {
            Ok(Folded { rows, .. }) => rows,
            Err(Stopped::At(fault)) => return Err(ApplyError::Fault(fault)),
            Err(Stopped::Error(error)) => return Err(error),
        };
        writing.write(&rows).await?;
        writing.forget(key).await?;
        self.commit(writing).await?;
        self.parked.forget(key);
        for row in rows {
            self.cache.put(M::key_of(&row.after).to_owned(), row.after);
        }
        Ok(())
    }

    /// Begins to write where it stands, lease and checkpoint compared.
    async fn begin_here(&mut self) -> Result<G::Writing, ApplyError> {
        self.be_sure().await?;
        if let Some(event_id) = self.kept.event_id {
            return self.begin(self.kept.position, event_id, true).await;
        }
        // Before the first event there is nothing to compare but the lease.
        self.generation.begin_at_start().await?.ok_or(ApplyError::LeaseLost)
    }
}

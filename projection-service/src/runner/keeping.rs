//! What becomes of a live projector's generations: another takes the place, one is kept beside, one is dropped.
//!
//! It reads no events: the live projector stands still meanwhile, and goes on with what is left here.

use tokio::sync::oneshot;

use super::apply::Apply;
use super::beside::Beside;
use super::handle::{Held, Hold, Resume};
use super::live::{Left, Live};
use super::stored::Stored;
use crate::storage::catalog::Role;

impl<G: Stored> Live<G> {
    /// Stands still until it is let go, perhaps with another generation. If it is found meanwhile that the database lost what it had
    /// committed last, it reads on from there: no further event may come that would tell it so.
    pub(super) async fn held(&mut self, hold: Option<Hold<G>>, faulted: bool) -> Result<(), Left> {
        let stood = self.position();
        self.stand(hold.ok_or(Left::Stopped)?, faulted).await?;
        if self.position() < stood { Err(Left::Replaced) } else { Ok(()) }
    }

    async fn stand(&mut self, hold: Hold<G>, faulted: bool) -> Result<(), Left> {
        // Whoever asks compares files, so the file has to say where it stands.
        self.keep_position().await;
        let (resume, resumed) = oneshot::channel();
        let checkpoint = self.applier.checkpoint().clone();
        let kept = self.beside.as_ref().map(Beside::kept);
        if hold.send(Held { checkpoint, faulted, kept, resume }).is_err() {
            return Ok(());
        }
        match resumed.await.unwrap_or(Resume::AsItIs) {
            Resume::AsItIs => Ok(()),
            Resume::Switch { to, keep } => self.switch(to, keep, faulted).await,
            Resume::Keep(other) => {
                self.keep_beside(other, Role::Candidate).await;
                // A faulted one can't be helped by it; else it goes on from where the one further behind stands.
                if faulted || self.behind() == self.position() {
                    Ok(())
                } else {
                    Err(Left::Replaced)
                }
            }
            Resume::Swap => match self.beside.take() {
                Some(beside) => self.swap(beside, faulted),
                None => Ok(()),
            },
            Resume::Drop(at_most) => {
                if self.beside.as_ref().is_some_and(|one| one.kept().generation <= at_most) {
                    self.drop_beside("nobody needs it any more").await;
                }
                Ok(())
            }
            Resume::Operate(operation, done) => {
                let (answer, left) = self.operate(operation).await;
                // Whoever asked may have gone; what was done stays done.
                drop(done.send(answer));
                left
            }
        }
    }

    /// Another generation takes the live one's place.
    async fn switch(
        &mut self,
        other: Box<dyn Apply<G>>,
        keep: bool,
        faulted: bool,
    ) -> Result<(), Left> {
        let same = !faulted && other.checkpoint() == self.applier.checkpoint();
        let old = std::mem::replace(&mut self.applier, other);
        if keep {
            self.keep_beside(old, Role::Previous).await;
            self.handle.replace(self.applier.generation().clone());
        } else {
            let old = self.handle.replace(self.applier.generation().clone());
            tokio::spawn(old.discard());
        }
        self.go_on(same)
    }

    /// The live one and the one beside it change places.
    fn swap(&mut self, beside: Beside<G>, faulted: bool) -> Result<(), Left> {
        let same = !faulted && beside.applier.checkpoint() == self.applier.checkpoint();
        let role = beside.role.swapped();
        let old = std::mem::replace(&mut self.applier, beside.applier);
        self.beside = Some(Beside::new(old, role, self.around.keep_for));
        self.tell_kept();
        self.handle.replace(self.applier.generation().clone());
        self.go_on(same)
    }

    /// Goes on after another generation took the place, at the same position or elsewhere.
    fn go_on(&mut self, same: bool) -> Result<(), Left> {
        self.handle.update(|status| status.fault = None);
        self.tell_parked();
        if !same {
            return Err(Left::Replaced);
        }
        self.published();
        Ok(())
    }

    async fn keep_beside(&mut self, applier: Box<dyn Apply<G>>, role: Role) {
        if self.beside.is_some() {
            self.drop_beside("another is kept").await;
        }
        self.beside = Some(Beside::new(applier, role, self.around.keep_for));
        self.tell_kept();
    }

    pub(super) async fn drop_beside(&mut self, cause: &str) {
        let Some(beside) = self.beside.take() else { return };
        self.tell_kept();
        let (name, generation) = (self.handle.projector.name(), beside.kept().generation);
        tracing::info!(name, generation, cause, "a generation is not kept any more");
        if let Err(error) = G::drop_kept(&self.around.catalog, name, generation).await {
            tracing::warn!(%error, name, "the catalog still names a generation that is not kept");
        }
        tokio::spawn(beside.applier.generation().clone().discard());
    }

    pub(super) fn tell_kept(&self) {
        let told = self.beside.as_ref().map(Beside::told);
        self.handle.update(|status| status.kept = told);
    }
}

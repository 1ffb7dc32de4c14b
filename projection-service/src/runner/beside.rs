//! The generation that is kept beside the live one: fed with every page that the live one gets, so that changing places
//! with it makes nothing stale.
//!
//! **Invariant:** it never holds the live one up: what can't be fed is dropped.

use std::time::{Duration, Instant};

use event_store::Position;

use super::apply::{Apply, ApplyError};
use super::status::KeptBeside;
use super::stored::Stored;
use crate::decoded::Page;
use crate::storage::catalog::{Kept, Role};
use crate::storage::generation::Generation;

/// How long a generation is kept beside the live one, from the switch or from a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepFor {
    /// One that was live.
    pub previous: Duration,
    /// One that waits for a person's decision.
    pub candidate: Duration,
}

impl Default for KeepFor {
    fn default() -> Self {
        Self { previous: Duration::from_hours(1), candidate: Duration::from_hours(24) }
    }
}

impl KeepFor {
    fn of(self, role: Role) -> Duration {
        match role {
            Role::Previous => self.previous,
            Role::Candidate => self.candidate,
        }
    }
}

/// A generation that is kept beside the live one.
pub(super) struct Beside<G = Generation> {
    pub(super) applier: Box<dyn Apply<G>>,
    pub(super) role: Role,
    until: Instant,
}

impl<G: Stored> Beside<G> {
    /// Keeps this one from now on.
    pub(super) fn new(applier: Box<dyn Apply<G>>, role: Role, keep_for: KeepFor) -> Self {
        Self { applier, role, until: Instant::now() + keep_for.of(role) }
    }

    pub(super) fn kept(&self) -> Kept {
        Kept { generation: self.applier.generation().number(), role: self.role }
    }

    pub(super) fn told(&self) -> KeptBeside {
        KeptBeside { kept: self.kept(), until: self.until }
    }

    pub(super) fn position(&self) -> Position {
        self.applier.checkpoint().position
    }

    pub(super) fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }

    pub(super) async fn apply(&mut self, page: &Page) -> Result<(), ApplyError> {
        self.applier.apply(page, page.last()).await
    }
}

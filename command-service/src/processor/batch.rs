//! Commands on their way through the processor.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use event_store::KnownCommand;
use tokio::sync::oneshot;
use tracing::Span;

use super::request::{ExecuteError, Outcome, Request};

/// Whose turn it is: a command that waits is taken into a batch, or given up by whoever asked.
///
/// **Invariant:** one of the two happens, once. What was given up is never decided, what was taken is answered by the log.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<OnceLock<End>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Taken,
    GivenUp,
}

impl Turn {
    /// True when it was not taken, and will not be.
    pub(super) fn give_up(&self) -> bool {
        *self.0.get_or_init(|| End::GivenUp) == End::GivenUp
    }
}

/// A waiting command and whom to answer.
#[derive(Debug)]
pub(super) struct Job {
    /// What is asked.
    pub(super) request: Request,
    /// How often it was decided and lost to a conflict.
    pub(super) conflicts: u32,
    /// What is traced of it.
    pub(super) span: Span,
    turn: Turn,
    reply: oneshot::Sender<Result<Outcome, ExecuteError>>,
}

impl Job {
    /// A command that was not decided yet.
    pub(super) fn new(
        request: Request,
        span: Span,
        turn: Turn,
        reply: oneshot::Sender<Result<Outcome, ExecuteError>>,
    ) -> Self {
        Self { request, conflicts: 0, span, turn, reply }
    }

    /// Takes it into a batch; false when its caller has given it up.
    pub(super) fn take(&self) -> bool {
        *self.turn.0.get_or_init(|| End::Taken) == End::Taken
    }

    /// Answers; a caller who has gone away is no matter.
    pub(super) fn answer(self, result: Result<Outcome, ExecuteError>) {
        drop(self.reply.send(result));
    }

    /// Answers from the store: the command is known.
    pub(super) fn answer_known(self, known: &KnownCommand) {
        let result = if known.request_hash == self.request.request_hash {
            Ok(Outcome::replayed(known.answer.clone()))
        } else {
            Err(ExecuteError::KeyReused)
        };
        self.answer(result);
    }
}

/// Splits off commands whose id is in the batch already: they wait for that outcome.
pub(super) fn split_repeats(batch: Vec<Job>) -> (Vec<Job>, Vec<Job>) {
    let mut seen = HashSet::with_capacity(batch.len());
    batch.into_iter().partition(|job| seen.insert(job.request.command_id.clone()))
}

//! How the service ends without being asked to: another process has taken over, or a part of it has panicked.
//!
//! **Invariant:** no part goes on alone: where one has panicked all of them end, the lease is given back, and everybody is told.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use storage::Held;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::run_error::RunError;
use crate::status::{Phase, Status};

/// What ends, and why.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    /// Everything is to end.
    pub(crate) stop: CancellationToken,
    /// Another process has the lease.
    pub(crate) taken: CancellationToken,
    /// A task has panicked.
    pub(crate) broken: CancellationToken,
    tell: watch::Sender<Status>,
}

impl Ends {
    pub(crate) fn telling(tell: watch::Sender<Status>) -> Self {
        let [stop, taken, broken] = std::array::from_fn(|_| CancellationToken::new());
        Self { stop, taken, broken, tell }
    }

    /// Runs a task; one that loses the lease tells everybody, and one that panics ends all others.
    pub(crate) fn run(
        &self,
        task: impl Future<Output = RunError> + Send + 'static,
    ) -> JoinHandle<()> {
        let ends = self.clone();
        tokio::spawn(async move {
            match AssertUnwindSafe(task).catch_unwind().await {
                Ok(RunError::LeaseLost) => ends.taken.cancel(),
                Ok(_) => {}
                Err(_panic) => {
                    tracing::error!("a task of the notifications panicked; all of them end");
                    ends.tell.send_modify(|status| status.phase = Phase::Broken);
                    ends.stop.cancel();
                    ends.broken.cancel();
                }
            }
        })
    }

    /// Keeps the lease until everything is to end, and gives it back.
    pub(crate) async fn keep(self, held: Held) {
        match self.stop.run_until_cancelled(held.taken()).await {
            Some(()) => self.taken.cancel(),
            None => held.give_back().await,
        }
    }
}

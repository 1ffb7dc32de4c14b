//! A lease that is held: renewed in the background until it is dropped, given back or lost.

use std::future::pending;

use tokio::sync::watch;
use tokio::task::{AbortHandle, spawn};
use tokio::time::{Instant, sleep, timeout_at};

use super::fence::Fence;
use super::shared::Shared;

/// Renewals while a lease lasts: some may fail.
const RENEWALS: u32 = 4;

/// A lease that is held. Dropped, it runs out.
pub struct Held(Option<Kept>);

struct Kept {
    shared: Shared,
    token: i64,
    state: watch::Receiver<State>,
    renewing: AbortHandle,
}

/// What the holder knows of its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody else can have it.
    Held,
    /// It could not be renewed in time: another may have it, and perhaps nobody does.
    RanOut,
    /// Another has it.
    Taken,
}

impl Held {
    pub(super) fn always() -> Self {
        Self(None)
    }

    /// It ends at this time unless it is renewed.
    pub(super) fn kept(shared: Shared, token: i64, ends: Instant) -> Self {
        let (tell, state) = watch::channel(State::Held);
        let renewing = spawn(renew(shared.clone(), token, ends, tell)).abort_handle();
        Self(Some(Kept { shared, token, state, renewing }))
    }

    /// To be passed by every transaction.
    pub fn fence(&self) -> Fence {
        self.0.as_ref().map_or(Fence::Open, |kept| kept.shared.fence(kept.token))
    }

    /// Returns when it is lost: another has taken it, or it could not be renewed in time. What was begun will be
    /// refused; whoever hears this need not try.
    pub async fn lost(&self) {
        self.until(|state| state != State::Held).await;
    }

    /// Returns when another has taken it. A database that is away tells nothing: meanwhile what is begun may fail, and
    /// when it is back and nobody else was there, the lease goes on.
    pub async fn taken(&self) {
        self.until(|state| state == State::Taken).await;
    }

    async fn until(&self, reached: impl Fn(State) -> bool) {
        let Some(kept) = &self.0 else { return pending().await };
        // An end of the renewals is the same.
        drop(kept.state.clone().wait_for(|state| reached(*state)).await);
    }

    /// Lets the next one have it at once. Best effort: it runs out anyway.
    pub async fn give_back(&self) {
        let Some(kept) = &self.0 else { return };
        kept.renewing.abort();
        if let Err(error) = kept.shared.give_back(kept.token).await {
            tracing::debug!(%error, "a lease is not given back; it runs out");
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

async fn renew(shared: Shared, token: i64, mut ends: Instant, state: watch::Sender<State>) {
    let pause = shared.lasts / RENEWALS;
    loop {
        sleep(pause).await;
        let asked = Instant::now();
        let renewal = shared.renew(token);
        let renewed = if *state.borrow() == State::Held {
            timeout_at(ends, renewal).await
        } else {
            Ok(renewal.await)
        };
        match renewed {
            Ok(Ok(true)) => {
                ends = asked + shared.lasts;
                state
                    .send_if_modified(|state| std::mem::replace(state, State::Held) != State::Held);
            }
            Ok(Ok(false)) => {
                tracing::warn!(token, "the lease was taken by another");
                state.send_replace(State::Taken);
                return;
            }
            Ok(Err(error)) => tracing::warn!(token, %error, "the lease can't be renewed now"),
            Err(_) => {
                tracing::warn!(token, "the lease could not be renewed in time");
                state.send_replace(State::RanOut);
            }
        }
    }
}

//! Waiting for what is decided about an order.
//!
//! The processor's commits only wake; what is answered is read from the log. Whoever waits when the platform stops is
//! told what is known, so that no wait holds up the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::event::Event;
use domain::ids::OrderId;
use event_store::{EventLog, IntentChange, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::decided::{Awaited, Decided, decides_about};
use crate::processor::Observer;

/// Who waits for which order.
#[derive(Debug, Default)]
pub(crate) struct OrderWaiters {
    waiting: Mutex<HashMap<OrderId, Waiter>>,
    ended: CancellationToken,
}

#[derive(Debug, Default)]
struct Waiter {
    woken: Arc<Notify>,
    count: usize,
}

impl OrderWaiters {
    /// Waits at most `patience` for the decision; `None` when there is none yet.
    pub(super) async fn wait(
        &self,
        log: &dyn EventLog,
        awaited: &Awaited,
        patience: Duration,
    ) -> Result<Option<Decided>, StoreError> {
        let waiting = self.register(awaited.order_id());
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            // Enabled before the log is read, so that no commit between the two is missed.
            let mut woken = std::pin::pin!(waiting.woken.notified());
            woken.as_mut().enable();
            if let Some(decided) = awaited.decision(log).await? {
                return Ok(Some(decided));
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep_until(deadline) => return Ok(None),
                () = self.ended.cancelled() => return Ok(None),
            }
        }
    }

    /// Ends every wait, also those that would begin later.
    pub(crate) fn end(&self) {
        self.ended.cancel();
    }

    fn register(&self, order_id: &OrderId) -> Waiting<'_> {
        let mut waiting = self.lock();
        let waiter = waiting.entry(order_id.clone()).or_default();
        waiter.count += 1;
        let woken = Arc::clone(&waiter.woken);
        Waiting { waiters: self, order_id: order_id.clone(), woken }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrderId, Waiter>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for OrderWaiters {
    fn committed(&self, events: &[Event], _intents: &[IntentChange]) {
        for order_id in events.iter().filter_map(decides_about) {
            if let Some(waiter) = self.lock().get(order_id) {
                waiter.woken.notify_waiters();
            }
        }
    }
}

/// Someone who waits; forgotten when dropped.
struct Waiting<'w> {
    waiters: &'w OrderWaiters,
    order_id: OrderId,
    woken: Arc<Notify>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiters.lock();
        let gone = waiting.get_mut(&self.order_id).is_some_and(|waiter| {
            waiter.count -= 1;
            waiter.count == 0
        });
        if gone {
            waiting.remove(&self.order_id);
        }
    }
}

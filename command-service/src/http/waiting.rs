//! Waiting for an order's decision: confirmed, rejected or cancelled.
//!
//! The processor's commits only wake; what is answered is read from the log. Whoever waits when the platform stops is
//! told what is known, so that no wait holds up the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::event::Event;
use domain::ids::OrderId;
use domain::orders::OrderEvent;
use domain::stream::Stream;
use event_store::{EventLog, IntentChange, RecordedEvent, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::codec;
use crate::processor::Observer;

/// Events of an order read at once.
const PAGE: usize = 256;

/// Where an order stands once it is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) status: &'static str,
    pub(super) reason: Option<String>,
    pub(super) version: u64,
    pub(super) position: u64,
}

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
    /// Waits at most `patience` for the order's decision; `None` when there is none yet.
    pub(super) async fn wait(
        &self,
        log: &dyn EventLog,
        order_id: &OrderId,
        patience: Duration,
    ) -> Result<Option<Decided>, StoreError> {
        let waiting = self.register(order_id);
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            // Enabled before the log is read, so that no commit between the two is missed.
            let mut woken = std::pin::pin!(waiting.woken.notified());
            woken.as_mut().enable();
            if let Some(decided) = decision(log, order_id).await? {
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
        let decided = events.iter().filter_map(|event| match event {
            Event::Order(event) => status(event).map(|_| event.order()),
            _ => None,
        });
        for order_id in decided {
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

/// The first decision in the order's stream: a repeat hears what the first request heard, whatever came later.
async fn decision(log: &dyn EventLog, order_id: &OrderId) -> Result<Option<Decided>, StoreError> {
    let stream = codec::stream_id(&Stream::Order(order_id.clone()));
    let mut after = 0;
    loop {
        let events = log.read_stream(&stream, after, PAGE).await?;
        let Some(last) = events.last() else { return Ok(None) };
        after = last.version;
        let decided = events.iter().find_map(decision_of);
        if decided.is_some() || events.len() < PAGE {
            return Ok(decided);
        }
    }
}

fn decision_of(recorded: &RecordedEvent) -> Option<Decided> {
    match codec::decode(recorded) {
        Ok(Event::Order(event)) => status(&event).map(|(status, reason)| Decided {
            status,
            reason,
            version: recorded.version,
            position: recorded.position,
        }),
        Ok(_) | Err(_) => None,
    }
}

fn status(event: &OrderEvent) -> Option<(&'static str, Option<String>)> {
    match event {
        OrderEvent::OrderConfirmed(_) => Some(("confirmed", None)),
        OrderEvent::OrderRejected(event) => Some(("rejected", Some(event.reason.to_string()))),
        OrderEvent::OrderCancelled(event) => {
            Some(("cancelled", event.reason.as_ref().map(ToString::to_string)))
        }
        _ => None,
    }
}

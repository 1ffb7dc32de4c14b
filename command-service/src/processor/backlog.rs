//! Placed orders that nobody has begun to carry out: how far the platform's own work is behind what clients ask of it.
//!
//! An order is in it from the commit that placed it to the next event about it. It knows of what was placed since the start,
//! and forgets after a minute: what takes so long waits for something that is away, and not for its turn.
//!
//! **Invariant:** it holds no more than the orders of a minute; it refuses nothing by itself.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::event::Event;
use domain::ids::OrderId;
use domain::orders::OrderEvent;
use event_store::IntentChange;

use super::observer::Observer;

/// How long an order counts, at most.
const FORGET_AFTER: Duration = Duration::from_mins(1);

/// The orders that wait to be begun.
#[derive(Debug)]
pub(super) struct Backlog {
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    orders: HashSet<OrderId>,
    /// Every one that was placed of late, the oldest first; also those that were begun since.
    placed: VecDeque<(Instant, OrderId)>,
}

impl Backlog {
    /// With room for so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, waiting: Mutex::default() }
    }

    /// Whether one more can be taken on.
    pub(super) fn has_room(&self) -> bool {
        self.has_room_at(Instant::now())
    }

    fn has_room_at(&self, now: Instant) -> bool {
        let mut waiting = self.waiting();
        waiting.forget(now);
        waiting.orders.len() < self.most
    }

    fn saw(&self, events: &[Event], now: Instant) {
        let mut waiting = self.waiting();
        for event in events {
            let Some(order_id) = event.order_id() else { continue };
            if matches!(event, Event::Order(OrderEvent::OrderPlaced(_))) {
                waiting.orders.insert(order_id.clone());
                waiting.placed.push_back((now, order_id.clone()));
            } else {
                waiting.orders.remove(order_id);
            }
        }
        waiting.forget(now);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Ids are whole after any panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Lets go of what was begun, and of what is too old, from the oldest on.
    fn forget(&mut self, now: Instant) {
        self.let_go(now);
        #[expect(clippy::cast_precision_loss, reason = "a gauge; there are few")]
        metrics::gauge!("docket_orders_not_begun").set(self.orders.len() as f64);
    }

    fn let_go(&mut self, now: Instant) {
        while let Some((placed, order_id)) = self.placed.front() {
            if self.orders.contains(order_id) {
                if now.saturating_duration_since(*placed) < FORGET_AFTER {
                    return;
                }
                self.orders.remove(order_id);
            }
            self.placed.pop_front();
        }
    }
}

impl Observer for Backlog {
    fn committed(&self, events: &[Event], _: &[IntentChange]) {
        if events.iter().any(|event| event.order_id().is_some()) {
            self.saw(events, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, order: &str) -> Event {
        let payload = match name {
            "OrderPlaced" => format!(
                r#"{{"order_id":"{order}","currency":"GBP","total":1,"payment_method":"pm_ok",
                    "lines":[{{"line":1,"sku":"mug","quantity":1,"unit_price":1,"stocked":true}}],
                    "shipping_address":{{"country":"France"}}}}"#
            ),
            _ => format!(r#"{{"order_id":"{order}","lines":[{{"sku":"mug","quantity":1}}]}}"#),
        };
        Event::from_json(name, 1, &payload).unwrap()
    }

    #[test]
    fn an_order_waits_until_something_else_is_heard_of_it() {
        let (backlog, now) = (Backlog::new(2), Instant::now());
        backlog.saw(&[event("OrderPlaced", "a"), event("OrderPlaced", "b")], now);
        assert!(!backlog.has_room_at(now));
        backlog.saw(&[event("ReservationMade", "b")], now);
        assert!(backlog.has_room_at(now));
        backlog.saw(&[event("OrderPlaced", "c")], now);
        assert!(!backlog.has_room_at(now));
    }

    #[test]
    fn what_waits_for_a_minute_does_not_wait_for_its_turn() {
        let (backlog, now) = (Backlog::new(1), Instant::now());
        backlog.saw(&[event("OrderPlaced", "a")], now);
        assert!(!backlog.has_room_at(now + Duration::from_secs(59)));
        assert!(backlog.has_room_at(now + FORGET_AFTER));
        assert_eq!(backlog.waiting().placed.len(), 0);
    }
}

//! While nobody knows how far the log is, the sagas' clock stands still.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use event_store::{Position, RecordedEvent};
use futures::future::BoxFuture;
use messaging::conformance::FeedOver;
use messaging::feed::{Feed, FeedError, Freshness, Subscription};
use saga_orchestrator::Phase;
use serde_json::Value;
use tokio::sync::watch;

use crate::bench::{Bench, Running, on_both};
use crate::running::until_delivered;

on_both! {
    deadlines_stand_still_while_the_log_is_not_heard,
    an_order_that_was_placed_in_a_silence_has_its_whole_time,
    the_clock_of_a_silence_goes_on_over_a_restart,
    a_short_silence_shifts_nothing,
    what_is_shown_in_a_silence_says_that_it_may_be_old,
}

fn deadline(told: &Value) -> DateTime<Utc> {
    told["deadline"].as_str().unwrap().parse().unwrap()
}

async fn until_it_waits(running: &Running) {
    running.until("it waits", |status| status.phase == Phase::CatchingUp).await;
}

/// An order whose reservation gets no answer, and then nothing is heard of the log any more; its deadline until then.
async fn silent_with_an_order_under_way(bench: &Bench) -> (Arc<Silenced>, Running, DateTime<Utc>) {
    let feed = Silenced::over(bench.feed());
    let running = bench.start_with(bench.settings(), Arc::clone(&feed) as _).await;
    bench.shop.lose("reserve_stock");
    bench.shop.place("o1", "pm_ok", 2).await;
    until_delivered(bench, "order-o1/reserve_stock/1", 1).await;
    let before = deadline(&running.explain("order-o1").await);
    feed.silence();
    until_it_waits(&running).await;
    (feed, running, before)
}

async fn deadlines_stand_still_while_the_log_is_not_heard(bench: Bench) {
    let (feed, running, before) = silent_with_an_order_under_way(&bench).await;
    bench.clock.advance(TimeDelta::hours(1));
    feed.speak();
    running.until_live().await;
    let told = running.explain("order-o1").await;
    assert_eq!(deadline(&told), before + TimeDelta::hours(1), "{told}");
    bench.shop.lose_no_more();
    bench.clock.advance(TimeDelta::seconds(2));
    running.until_saga("order-o1", "waiting", "complete_order").await;
}

async fn an_order_that_was_placed_in_a_silence_has_its_whole_time(bench: Bench) {
    let feed = Silenced::over(bench.feed());
    let running = bench.start_with(bench.settings(), Arc::clone(&feed) as _).await;
    running.until_live().await;
    feed.silence();
    until_it_waits(&running).await;
    bench.shop.place("o1", "pm_ok", 2).await;
    bench.clock.advance(TimeDelta::hours(1));
    feed.speak();
    running.until_saga("order-o1", "waiting", "complete_order").await;
}

async fn the_clock_of_a_silence_goes_on_over_a_restart(bench: Bench) {
    let (feed, running, before) = silent_with_an_order_under_way(&bench).await;
    bench.clock.advance(TimeDelta::hours(1));
    running.orchestrator.shutdown().await;
    let running = bench.start_with(bench.settings(), Arc::clone(&feed) as _).await;
    bench.clock.advance(TimeDelta::hours(1));
    feed.speak();
    running.until_live().await;
    assert_eq!(deadline(&running.explain("order-o1").await), before + TimeDelta::hours(2));
}

async fn a_short_silence_shifts_nothing(bench: Bench) {
    let (feed, running, before) = silent_with_an_order_under_way(&bench).await;
    bench.clock.advance(TimeDelta::seconds(3));
    feed.speak();
    running.until_live().await;
    assert_eq!(deadline(&running.explain("order-o1").await), before);
}

async fn what_is_shown_in_a_silence_says_that_it_may_be_old(bench: Bench) {
    let (feed, running, _) = silent_with_an_order_under_way(&bench).await;
    let paths = ["/sagas", "/sagas/order-o1", "/sagas/order-o1/explain"];
    let said = async |path: &str| {
        let (head, body) = running.read(path).await;
        let is_old = head.get("docket-stale").is_some_and(|is| is == "true");
        (head.contains_key("docket-position"), is_old, body["stale"]["cause"].clone())
    };
    let unheard = Value::from("the log is not heard: it is not known what happened since");
    for path in paths {
        assert_eq!(said(path).await, (true, true, unheard.clone()), "{path}");
    }
    feed.speak();
    running.until_live().await;
    for path in paths {
        assert_eq!(said(path).await, (true, false, Value::Null), "{path}");
    }
}

/// A feed whose transport can be taken away: then no head rises and no event comes.
struct Silenced {
    inner: Arc<dyn Feed>,
    head: watch::Sender<Position>,
    freshness: watch::Sender<Freshness>,
}

impl Silenced {
    fn over(inner: Arc<dyn Feed>) -> Arc<Self> {
        let head = watch::Sender::new(*inner.head().borrow());
        let feed = Arc::new(Self { inner, head, freshness: watch::Sender::new(Freshness::Known) });
        tokio::spawn(Arc::clone(&feed).tell_heads());
        feed
    }

    async fn tell_heads(self: Arc<Self>) {
        let mut heads = self.inner.head();
        while heads.changed().await.is_ok() {
            if *self.freshness.borrow() == Freshness::Known {
                self.head.send_replace(*heads.borrow());
            }
        }
    }

    fn silence(&self) {
        self.freshness.send_replace(Freshness::Unknown);
    }

    fn speak(&self) {
        self.head.send_replace(*self.inner.head().borrow());
        self.freshness.send_replace(Freshness::Known);
    }
}

impl FeedOver for Silenced {
    fn under(&self) -> &dyn Feed {
        &*self.inner
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn freshness(&self) -> watch::Receiver<Freshness> {
        self.freshness.subscribe()
    }

    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(async move {
            let inner = self.inner.subscribe(after).await?;
            let freshness = self.freshness.subscribe();
            Ok(Box::new(Cut { inner, freshness }) as Box<dyn Subscription>)
        })
    }
}

struct Cut {
    inner: Box<dyn Subscription>,
    freshness: watch::Receiver<Freshness>,
}

impl Subscription for Cut {
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Arc<[RecordedEvent]>, FeedError>> {
        Box::pin(async move {
            let mut cut = self.freshness.clone();
            loop {
                cut.wait_for(|is| *is == Freshness::Known).await.unwrap();
                tokio::select! {
                    biased;
                    _ = cut.wait_for(|is| *is == Freshness::Unknown) => {}
                    page = self.inner.next(limit) => return page,
                }
            }
        })
    }
}

//! The machine's clock is set back: what waits for a time waits no longer for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use notification_service::{Schedule, Settings};
use service_kit::clock::{self, Clock};

use crate::bench::{Bench, Running, on_both};
use crate::receiver::{Answer, Receiver};

on_both! {
    what_waits_is_told_in_time_when_the_clock_is_set_back,
    what_waits_is_told_in_time_by_whoever_starts_after_the_clock_was_set_back,
}

/// A clock so many seconds ahead.
fn ahead_by(seconds: &Arc<AtomicI64>) -> Clock {
    let (right, seconds) = (clock::system(), Arc::clone(seconds));
    Arc::new(move || right() + TimeDelta::seconds(seconds.load(Ordering::Relaxed)))
}

/// Of one order the first attempt failed, by a clock that is an hour ahead.
async fn tried_once(bench: &Bench, ahead: &Arc<AtomicI64>, receiver: &Receiver) -> Running {
    let schedule = Schedule::of(vec![Duration::from_secs(1); 20]);
    let settings = Settings { schedule, ..bench.settings() };
    let running = bench.start_by(&bench.log, settings, ahead_by(ahead)).await;
    running.until_live().await;
    running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    receiver.until(1).await;
    running
}

async fn what_waits_is_told_in_time_when_the_clock_is_set_back(bench: Bench) {
    let receiver = Receiver::answering(Answer::Status(500)).await;
    let ahead = Arc::new(AtomicI64::new(3_600));
    let running = tried_once(&bench, &ahead, &receiver).await;
    ahead.store(0, Ordering::Relaxed);
    receiver.answer(Answer::Status(200));
    receiver.until(2).await;
    running.service.shutdown().await;
}

async fn what_waits_is_told_in_time_by_whoever_starts_after_the_clock_was_set_back(bench: Bench) {
    let receiver = Receiver::answering(Answer::Status(500)).await;
    let ahead = Arc::new(AtomicI64::new(3_600));
    let running = tried_once(&bench, &ahead, &receiver).await;
    running.service.shutdown().await;
    receiver.answer(Answer::Status(200));
    let told = receiver.told().len();
    let running = bench.start().await;
    receiver.until(told + 1).await;
    running.service.shutdown().await;
}

//! A database that crashes may lose the last commits, and the answer to one that it has.

use std::time::Duration;

use service_kit::clock;

use crate::bench::{Bench, on_both};
use crate::receiver::{Answer, Receiver};
use crate::storage::{Kept, take_unheard};

on_both! {
    what_the_database_lost_is_told_though_no_further_event_comes,
    what_was_taken_by_a_commit_that_nobody_heard_of_is_told_when_its_time_has_come,
}

async fn what_the_database_lost_is_told_though_no_further_event_comes(bench: Bench) {
    let receiver = Receiver::answering(Answer::Status(200)).await;
    let running = bench.start_live().await;
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    running.until_deliveries(&webhook, "delivered", 1).await;
    let kept = Kept::now(&bench.location()).await;
    bench.log.place("o2").await;
    running.until_deliveries(&webhook, "delivered", 2).await;

    kept.outlives_the_rest().await;
    running.until_deliveries(&webhook, "delivered", 2).await;
    let told = receiver.whats();
    let placed = |order: &str| told.iter().filter(|what| **what == order).count();
    assert_eq!(placed("order.placed of o1"), 1, "{told:?}");
    assert_eq!(placed("order.placed of o2"), 2, "as it was before, by the same id: {told:?}");
    running.service.shutdown().await;
}

async fn what_was_taken_by_a_commit_that_nobody_heard_of_is_told_when_its_time_has_come(
    bench: Bench,
) {
    let receiver = Receiver::answering(Answer::Status(200)).await;
    let running = bench.start_live().await;
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    running.until_deliveries(&webhook, "delivered", 1).await;
    take_unheard(&bench.location(), clock::system()() + Duration::from_secs(2)).await;
    // Whoever takes it looks what else is due, and when.
    bench.log.place("o2").await;
    running.until_deliveries(&webhook, "delivered", 2).await;
    assert_eq!(receiver.told().len(), 3, "{:?}", receiver.whats());
    running.service.shutdown().await;
}

//! A database that crashes may lose the commits that did not wait for its disk: they are made again.

use std::sync::Arc;
use std::time::Duration;

use saga_orchestrator::{MemoryOrchestrator, MemoryTables, Phase};
use tokio::time::{sleep, timeout};

use crate::bench::{Bench, PATIENCE};

#[tokio::test]
async fn where_a_new_orchestrator_begins_is_not_lost_with_the_last_commits() {
    let bench = Bench::on_sqlite().await;
    let tables = MemoryTables::new(bench.clock.reader());
    let (queue, clock) = (Arc::clone(&bench.queue), bench.clock.reader());
    let orchestrator =
        MemoryOrchestrator::start(bench.settings(), tables.clone(), bench.feed(), queue, clock);
    until(|| tables.audit().is_some()).await;
    tables.lose_last(usize::MAX);
    bench.shop.place("o1", "pm_ok", 1).await;
    let head = *event_store::EventLog::head(&*bench.shop.log).borrow();
    let status = || orchestrator.status();
    until(|| status().position >= head || matches!(status().phase, Phase::Faulted { .. })).await;
    assert_eq!(status().phase, Phase::Live);
}

/// Waits until this is so.
async fn until(is_so: impl Fn() -> bool) {
    let waits = async {
        while !is_so() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, waits).await.unwrap();
}

//! Orders run through their sagas.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::sagas::SagaState;
use futures::future::BoxFuture;
use messaging::commands::{CommandMessage, CommandQueue, QueueError};
use serde_json::json;

use crate::bench::{Bench, PATIENCE, Running, on_both};

on_both! {
    a_placed_order_runs_until_it_waits_for_its_parcel,
    a_delivered_order_is_completed,
    a_declined_payment_undoes_the_order,
    a_lost_message_is_sent_again,
    a_command_stays_in_the_outbox_until_an_event_bears_its_id,
    many_orders_at_once_all_end_where_they_should,
    a_cancellation_runs_beside_the_orders_saga,
    a_return_after_the_order_was_completed_runs_to_its_end,
    what_a_full_queue_refused_is_sent_as_soon_as_it_has_room,
}

async fn a_placed_order_runs_until_it_waits_for_its_parcel(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 2).await;
    let saga = running.until_saga("order-o1", "waiting", "complete_order").await;
    assert_eq!(saga["kind"], "order");
    assert_eq!(saga["order_id"], "o1");
    let told = running.explain("order-o1").await;
    assert_eq!(told["waiting_for"], "parcel o1-s1 to be shipped");
    assert_eq!(told["attempts"], 0);
    assert_eq!(told["commands"], json!([]));
}

async fn a_delivered_order_is_completed(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 2).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    bench.shop.ship("o1").await;
    bench.shop.deliver("o1").await;
    running.until_saga("order-o1", "completed", "complete_order").await;
}

async fn a_declined_payment_undoes_the_order(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_declined", 2).await;
    running.until_saga("order-o1", "compensated", "finish").await;
    let order_id = "o1".parse().unwrap();
    let sagas = running.orchestrator.summaries_of_order(&order_id).await.unwrap();
    assert_eq!(sagas.len(), 1);
    assert_eq!(sagas[0].id.as_str(), "order-o1");
}

async fn a_lost_message_is_sent_again(bench: Bench) {
    let running = bench.start().await;
    bench.shop.lose_once("reserve_stock");
    bench.shop.place("o1", "pm_ok", 2).await;
    until_delivered(&bench, "order-o1/reserve_stock/1", 1).await;
    bench.clock.advance(chrono::TimeDelta::seconds(2));
    running.until_saga("order-o1", "waiting", "complete_order").await;
    assert_eq!(bench.shop.deliveries.borrow()["order-o1/reserve_stock/1"], 2);
}

async fn a_command_stays_in_the_outbox_until_an_event_bears_its_id(bench: Bench) {
    let running = bench.start().await;
    bench.shop.lose("authorize_payment");
    bench.shop.place("o1", "pm_ok", 2).await;
    let id = "order-o1/authorize_payment/1";
    for times in 1..4 {
        until_delivered(&bench, id, times).await;
        let told = running.explain("order-o1").await;
        assert_eq!(told["commands"][0]["command_id"], id, "{told}");
        bench.clock.advance(chrono::TimeDelta::seconds(2));
    }
    bench.shop.lose_no_more();
    bench.clock.advance(chrono::TimeDelta::seconds(2));
    running.until_saga("order-o1", "waiting", "complete_order").await;
    assert_eq!(running.explain("order-o1").await["commands"], json!([]));
}

async fn many_orders_at_once_all_end_where_they_should(bench: Bench) {
    let running = bench.start().await;
    for number in 0..60 {
        let method = if number % 3 == 0 { "pm_declined" } else { "pm_ok" };
        bench.shop.place(&format!("o{number}"), method, 1).await;
    }
    let counts = running
        .until("all stand still", |status| {
            let count = |state| status.sagas.get(&state).copied().unwrap_or_default();
            count(SagaState::Compensated) == 20 && count(SagaState::Waiting) == 40
        })
        .await;
    assert_eq!(counts.sagas.values().sum::<u64>(), 60);
}

pub(crate) async fn until_delivered(bench: &Bench, id: &str, times: u32) {
    let mut deliveries = bench.shop.deliveries.subscribe();
    let enough = deliveries.wait_for(|all| all.get(id).is_some_and(|count| *count >= times));
    let waited = tokio::time::timeout(PATIENCE, enough).await;
    assert!(waited.is_ok(), "{id} is delivered {times} times");
}

async fn a_cancellation_runs_beside_the_orders_saga(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 2).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    // Started anew, so that the cancellation finds the order's saga in the database and not in memory.
    running.orchestrator.kill().await;
    let running = bench.start().await;
    bench.shop.cancel("o1").await;
    let ended = |status: &saga_orchestrator::Status| {
        let count = |state| status.sagas.get(&state).copied().unwrap_or_default();
        count(SagaState::Completed) + count(SagaState::Compensated) == 2
    };
    running.until("both have ended", ended).await;
    assert_eq!(of_order(&running).await, ["order-o1", "cancellation-o1-c1"]);
}

async fn a_return_after_the_order_was_completed_runs_to_its_end(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 2).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    bench.shop.ship("o1").await;
    bench.shop.deliver("o1").await;
    running.until_saga("order-o1", "completed", "complete_order").await;
    running.orchestrator.kill().await;
    let running = bench.start().await;
    bench.shop.take_back("o1", 1).await;
    let ended =
        |status: &saga_orchestrator::Status| status.sagas.get(&SagaState::Completed) == Some(&2);
    running.until("both are completed", ended).await;
    assert_eq!(of_order(&running).await, ["order-o1", "return-o1-r1"]);
}

async fn of_order(running: &Running) -> Vec<String> {
    let sagas = running.orchestrator.summaries_of_order(&"o1".parse().unwrap()).await.unwrap();
    sagas.into_iter().map(|saga| saga.id.to_string()).collect()
}

async fn what_a_full_queue_refused_is_sent_as_soon_as_it_has_room(mut bench: Bench) {
    let full = Arc::new(Full { inner: Arc::clone(&bench.queue), refusals: AtomicUsize::new(3) });
    bench.queue = full;
    let running = bench.start().await;
    running.until_live().await;
    bench.shop.place("o1", "pm_ok", 1).await;
    // The clock stands still: nothing is sent again because of its time.
    running.until_saga("order-o1", "waiting", "complete_order").await;
}

/// A queue that refuses the first messages.
struct Full {
    inner: Arc<dyn CommandQueue>,
    refusals: AtomicUsize,
}

impl CommandQueue for Full {
    fn send(&self, messages: Vec<CommandMessage>) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let left = self.refusals.load(Ordering::SeqCst);
            if left > 0 && !messages.is_empty() {
                self.refusals.store(left - 1, Ordering::SeqCst);
                return Err(QueueError("full".into()));
            }
            self.inner.send(messages).await
        })
    }
}

//! Deadlines, and the pause of the platform that they do not count.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::bench::{Bench, on_both};
use crate::clock::TestClock;
use crate::running::until_delivered;

fn deadline(told: &Value) -> DateTime<Utc> {
    told["deadline"].as_str().unwrap().parse().unwrap()
}

on_both! {
    an_order_whose_deadline_passes_is_undone,
    deadlines_stand_still_while_the_platform_is_down,
    an_order_that_was_placed_right_before_the_pause_has_its_whole_time,
    a_short_gap_is_no_pause,
    a_pause_does_not_put_off_the_renewal_of_an_authorization,
    an_outcome_unknown_for_too_long_needs_attention,
    a_clock_an_hour_ahead_of_the_logs_gives_up_no_order,
    a_clock_that_is_set_back_an_hour_holds_up_no_command,
    a_clock_of_the_log_that_is_set_back_while_nobody_reads_gives_up_no_order,
}

async fn a_clock_an_hour_ahead_of_the_logs_gives_up_no_order(bench: Bench) {
    let own = bench.clock.clone();
    let running = bench.start_by(Arc::new(move || own.now() + TimeDelta::hours(1))).await;
    running.until_live().await;
    bench.shop.lose("reserve_stock");
    bench.shop.place("o1", "pm_ok", 2).await;
    until_delivered(&bench, "order-o1/reserve_stock/1", 1).await;
    bench.shop.lose_no_more();
    bench.clock.advance(TimeDelta::seconds(2));
    running.until_saga("order-o1", "waiting", "complete_order").await;
}

async fn a_clock_that_is_set_back_an_hour_holds_up_no_command(bench: Bench) {
    let own = TestClock::new();
    let running = bench.start_by(own.reader()).await;
    running.until_live().await;
    bench.shop.lose("reserve_stock");
    bench.shop.place("o1", "pm_ok", 2).await;
    until_delivered(&bench, "order-o1/reserve_stock/1", 1).await;
    own.advance(TimeDelta::hours(-1));
    bench.shop.lose_no_more();
    // Whatever comes next shows how far the two are apart.
    bench.shop.place("o2", "pm_ok", 2).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
}

async fn a_clock_of_the_log_that_is_set_back_while_nobody_reads_gives_up_no_order(bench: Bench) {
    let own = TestClock::new();
    let running = bench.start_by(own.reader()).await;
    running.until_live().await;
    bench.shop.lose("reserve_stock");
    bench.shop.place("o1", "pm_ok", 2).await;
    until_delivered(&bench, "order-o1/reserve_stock/1", 1).await;
    running.orchestrator.shutdown().await;
    // No event that comes when it is live again tells of it.
    bench.clock.advance(TimeDelta::hours(-1));
    bench.shop.place("o2", "pm_ok", 2).await;
    let running = bench.start_by(own.reader()).await;
    running.until_live().await;
    until_delivered(&bench, "order-o2/reserve_stock/1", 1).await;
    let told = running.explain("order-o2").await;
    assert_eq!(deadline(&told), bench.clock.now() + TimeDelta::minutes(15), "{told}");
    bench.shop.lose_no_more();
    own.advance(TimeDelta::seconds(2));
    for saga in ["order-o1", "order-o2"] {
        running.until_saga(saga, "waiting", "complete_order").await;
    }
}

async fn an_order_whose_deadline_passes_is_undone(bench: Bench) {
    let running = bench.start().await;
    bench.shop.lose("reserve_stock");
    bench.shop.place("o1", "pm_ok", 2).await;
    until_delivered(&bench, "order-o1/reserve_stock/1", 1).await;
    bench.clock.advance(TimeDelta::minutes(16));
    running.until_saga("order-o1", "compensated", "finish").await;
}

async fn deadlines_stand_still_while_the_platform_is_down(bench: Bench) {
    let running = bench.start().await;
    bench.shop.lose("reserve_stock");
    bench.shop.place("o1", "pm_ok", 2).await;
    until_delivered(&bench, "order-o1/reserve_stock/1", 1).await;
    let before = deadline(&running.explain("order-o1").await);
    running.orchestrator.kill().await;

    bench.clock.advance(TimeDelta::hours(1));
    let running = bench.start().await;
    running.until_live().await;
    let told = running.explain("order-o1").await;
    assert_eq!(deadline(&told), before + TimeDelta::hours(1), "{told}");
    assert_eq!(told["state"], "running");
    bench.shop.lose_no_more();
    bench.clock.advance(TimeDelta::seconds(2));
    running.until_saga("order-o1", "waiting", "complete_order").await;
}

async fn an_order_that_was_placed_right_before_the_pause_has_its_whole_time(bench: Bench) {
    let running = bench.start().await;
    running.until_live().await;
    running.orchestrator.shutdown().await;
    bench.shop.lose("reserve_stock");
    bench.shop.place("o1", "pm_ok", 2).await;

    bench.clock.advance(TimeDelta::hours(1));
    let running = bench.start().await;
    running.until_live().await;
    let told = running.explain("order-o1").await;
    assert_eq!(deadline(&told), bench.clock.now() + TimeDelta::minutes(15), "{told}");
}

async fn a_short_gap_is_no_pause(bench: Bench) {
    let running = bench.start().await;
    bench.shop.lose("reserve_stock");
    bench.shop.place("o1", "pm_ok", 2).await;
    until_delivered(&bench, "order-o1/reserve_stock/1", 1).await;
    let before = deadline(&running.explain("order-o1").await);
    running.orchestrator.shutdown().await;
    bench.clock.advance(TimeDelta::seconds(3));
    let running = bench.start().await;
    running.until_live().await;
    assert_eq!(deadline(&running.explain("order-o1").await), before);
}

async fn an_outcome_unknown_for_too_long_needs_attention(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_unknown", 2).await;
    running.until_unknown("authorize_payment").await;
    bench.clock.advance(TimeDelta::minutes(6));
    running.until_saga("order-o1", "needs_attention", "authorize_payment").await;
}

async fn a_pause_does_not_put_off_the_renewal_of_an_authorization(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 2).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    let before = deadline(&running.explain("order-o1").await);
    running.orchestrator.kill().await;
    bench.clock.advance(TimeDelta::hours(1));
    let running = bench.start().await;
    running.until_live().await;
    assert_eq!(
        deadline(&running.explain("order-o1").await),
        before,
        "the provider's clock went on"
    );
}

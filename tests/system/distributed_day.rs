//! P14: what one process promises and does, the services as separate processes do: the same tests, the same ends.

use std::cell::Cell;

use crate::bad_input::{bad_orders_change_nothing, ended_orders_stay, odd_requests_are_refused};
use crate::erasure::{erase_a_person, search};
use crate::import::{import, rejected_with_stock, the_day_reconciles};
use crate::payment_methods::{
    a_failed_refund_calls_a_person, a_refused_capture_is_settled_by_hand,
    sagas_end_as_the_method_says,
};
use crate::platform::{Data, Platform};
use crate::services::Services;

/// The most connections to each database, as `docs/postgresql.md` has them; the notification-service shares that of the sagas here.
const MOST_CONNECTIONS: [(&str, i64); 3] = [("log", 19), ("reads", 39), ("sagas", 12)];

/// What the example day comes to in one process.
async fn embedded_day() -> String {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    assert!(import(&platform, &[]).await.status.success());
    platform.settle().await;
    platform.terminate().await;
    data.digest().await
}

#[tokio::test]
async fn p14_one_behaviour_separate_processes_pass_what_one_process_passes() {
    let Some(services) = Services::start_with_own_postgres().await else { return };
    let platform = &services.gateway;
    the_day_reconciles(platform).await;
    services.until_digest(&embedded_day().await).await;
    services.verify().await;

    sagas_end_as_the_method_says(platform).await;
    a_failed_refund_calls_a_person(platform).await;
    a_refused_capture_is_settled_by_hand(platform).await;
    bad_orders_change_nothing(platform).await;
    odd_requests_are_refused(platform).await;
    ended_orders_stay(platform).await;
    erase_a_person(platform).await;
    platform.settle().await;
    services.verify().await;

    for folder in services.folders() {
        let found = search(&folder);
        assert!(found.is_empty(), "{found:#?}");
    }
    // While they are all at rest, none has given a connection back: these are as many as there ever were.
    for (database, most) in MOST_CONNECTIONS {
        let open = services.connections_to_at_rest(database, most).await;
        assert!((1..=most).contains(&open), "{open} connections to {database}");
    }
    services.terminate().await;
}

#[tokio::test]
async fn p6_sagas_end_separate_processes_undo_what_can_t_be_delivered() {
    let Some(services) = Services::start().await else { return };
    let platform = &services.gateway;
    let looked = Cell::new(0);
    let rejected = tokio::select! {
        rejected = rejected_with_stock(platform, "50") => rejected,
        never = services.verify_again_and_again(&looked) => match never {},
    };
    assert!(rejected > 0, "some orders want more than 50");
    assert!(looked.get() > 0, "it was looked at while it ran");
    services.verify().await;
    services.terminate().await;
}

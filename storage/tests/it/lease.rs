//! What a lease promises, on both dialects.

use std::time::Duration;

use storage::{Fence, Guarded, Lease, LeaseSettings, Passed, Store, guarded};
use tokio::time::timeout;

use crate::home::{Home, on_both};

/// Longer than anything here takes: a test that waits for ever fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(400);

on_both! {
    at_most_one_holds_it,
    one_who_sleeps_through_its_end_is_refused,
    it_is_renewed_while_it_is_held,
    its_loss_is_told,
    what_ran_out_and_nobody_took_goes_on,
    two_names_are_two_leases,
    a_guarded_statement_is_refused_for_want_of_the_lease_or_of_the_row,
}

async fn lease(store: &Store, holder: &str, lasts: Duration) -> Lease {
    let settings = LeaseSettings { lasts, ..LeaseSettings::new("sagas", holder) };
    Lease::shared(store.clone(), settings).await.unwrap()
}

async fn passes(store: &Store, fence: &Fence) -> bool {
    let mut transaction = store.begin().await.unwrap();
    fence.pass(&mut transaction).await.unwrap()
}

/// Microseconds since 1970.
async fn ends_at(store: &Store) -> i64 {
    let mut connection = store.writer().await.unwrap();
    connection.query("SELECT expires_at FROM leases").scalar().await.unwrap()
}

async fn at_most_one_holds_it(home: Home) {
    let store = home.open().await;
    let one = lease(&store, "one", PATIENCE).await;
    let other = lease(&store, "other", PATIENCE).await;
    let held = one.try_acquire().await.unwrap().unwrap();
    assert!(other.try_acquire().await.unwrap().is_none());
    let fence = held.fence();
    assert!(passes(&store, &fence).await);
    held.give_back().await;
    let held = timeout(PATIENCE, other.acquire()).await.unwrap();
    assert!(passes(&store, &held.fence()).await);
    assert!(!passes(&store, &fence).await);
}

async fn one_who_sleeps_through_its_end_is_refused(home: Home) {
    let store = home.open().await;
    let held = lease(&store, "sleeper", SHORT).await.acquire().await;
    let fence = held.fence();
    // Its renewals end with it, as those of a process that is stopped.
    drop(held);
    let next = timeout(PATIENCE, lease(&store, "next", PATIENCE).await.acquire()).await.unwrap();
    assert!(!passes(&store, &fence).await);
    assert!(passes(&store, &next.fence()).await);
}

async fn it_is_renewed_while_it_is_held(home: Home) {
    let store = home.open().await;
    let lasts = SHORT * 10;
    let held = lease(&store, "one", lasts).await.acquire().await;
    let begun = ends_at(&store).await;
    let mut ticks = tokio::time::interval(SHORT / 4);
    // Longer than it would last by itself.
    while ends_at(&store).await <= begun + i64::try_from(lasts.as_micros()).unwrap() {
        ticks.tick().await;
        assert!(timeout(Duration::ZERO, held.lost()).await.is_err());
    }
    let other = lease(&store, "other", lasts).await;
    assert!(other.try_acquire().await.unwrap().is_none());
    assert!(passes(&store, &held.fence()).await);
}

async fn its_loss_is_told(home: Home) {
    let store = home.open().await;
    let held = lease(&store, "one", SHORT).await.acquire().await;
    let take = "UPDATE leases SET token = token + 1";
    assert_eq!(store.writer().await.unwrap().query(take).execute().await.unwrap(), 1);
    timeout(PATIENCE, held.lost()).await.unwrap();
    assert!(!passes(&store, &held.fence()).await);
}

async fn a_guarded_statement_is_refused_for_want_of_the_lease_or_of_the_row(home: Home) {
    const MOVE: Guarded = guarded!("UPDATE things SET b = $1 WHERE a = $2", "$3", "$4");
    let store = home.open().await;
    store
        .writer()
        .await
        .unwrap()
        .query("INSERT INTO things (a) VALUES (1)")
        .execute()
        .await
        .unwrap();
    let moved = async |fence: &Fence, a: i64| {
        let mut transaction = store.begin().await.unwrap();
        let passed = fence.pass_with(&mut transaction, &MOVE, |query| query.bind("new").bind(a));
        let passed = passed.await.unwrap();
        if passed == Passed::Through {
            transaction.commit().await.unwrap();
        }
        passed
    };
    let held = lease(&store, "one", PATIENCE).await.acquire().await;
    let fence = held.fence();
    for fence in [&fence, &Fence::Open] {
        assert_eq!(moved(fence, 1).await, Passed::Through);
        assert_eq!(moved(fence, 2).await, Passed::Moved);
    }
    held.give_back().await;
    let _next = timeout(PATIENCE, lease(&store, "next", PATIENCE).await.acquire()).await.unwrap();
    for a in [1, 2] {
        assert_eq!(moved(&fence, a).await, Passed::LeaseLost);
    }
}

async fn two_names_are_two_leases(home: Home) {
    let store = home.open().await;
    let one = lease(&store, "one", PATIENCE).await.acquire().await;
    let settings = LeaseSettings::new("models", "one");
    let other = Lease::shared(store.clone(), settings).await.unwrap().acquire().await;
    assert_ne!(one.fence(), other.fence());
    assert!(passes(&store, &one.fence()).await && passes(&store, &other.fence()).await);
}

#[tokio::test]
async fn nobody_takes_it_while_a_transaction_that_passed_is_under_way() {
    let Some(home) = Home::postgres() else { return };
    let store = home.open().await;
    let one = lease(&store, "one", SHORT).await;
    // On a machine that stalls, the short lease may be over before it is asked for.
    let (fence, mut transaction) = loop {
        let mut transaction = store.begin().await.unwrap();
        let fence = one.acquire().await.fence();
        if fence.pass(&mut transaction).await.unwrap() {
            break (fence, transaction);
        }
    };
    // Short too: the wait that is given up here may still be granted, and nobody would give it back.
    let other = lease(&store, "other", SHORT).await;
    assert!(
        timeout(SHORT * 2, other.acquire()).await.is_err(),
        "it has run out and can't be taken"
    );
    transaction.query("INSERT INTO things (a) VALUES (1)").execute().await.unwrap();
    transaction.commit().await.unwrap();
    timeout(PATIENCE, other.acquire()).await.unwrap();
    assert!(!passes(&store, &fence).await);
}

#[tokio::test]
async fn transactions_of_one_holder_pass_beside_each_other_and_keep_no_renewal_waiting() {
    let Some(home) = Home::postgres() else { return };
    let store = home.open().await;
    let held = lease(&store, "one", PATIENCE * 2).await.acquire().await;
    let fence = held.fence();
    let mut first = store.begin().await.unwrap();
    assert!(fence.pass(&mut first).await.unwrap());
    // It would wait for the first one's end.
    assert!(timeout(PATIENCE, passes(&store, &fence)).await.unwrap());
    let renew = "UPDATE leases SET expires_at = expires_at + 1";
    let renewed = async { store.reader().await.unwrap().query(renew).execute().await.unwrap() };
    assert_eq!(timeout(PATIENCE, renewed).await.unwrap(), 1);
    assert!(fence.pass(&mut first).await.unwrap());
}

#[tokio::test]
async fn where_nobody_else_is_it_costs_nothing() {
    let home = Home::sqlite();
    let store = home.open().await;
    let held = Lease::always().acquire().await;
    assert_eq!(held.fence(), Fence::Open);
    assert!(passes(&store, &held.fence()).await);
    assert!(timeout(Duration::from_millis(20), held.lost()).await.is_err());
}

async fn what_ran_out_and_nobody_took_goes_on(home: Home) {
    let store = home.open().await;
    let held = lease(&store, "one", SHORT).await.acquire().await;
    // Nothing can be renewed, as while the database is away.
    let mut transaction = store.begin().await.unwrap();
    transaction.query("UPDATE leases SET holder = holder").execute().await.unwrap();
    timeout(PATIENCE, held.lost()).await.unwrap();
    drop(transaction);
    let goes_on = async {
        while timeout(Duration::from_millis(20), held.lost()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, goes_on).await.unwrap();
    assert!(timeout(Duration::from_millis(20), held.taken()).await.is_err());
    assert!(passes(&store, &held.fence()).await);
}

//! Several services on the same models: one is active, the next takes over.

use std::sync::Arc;
use std::time::Duration;

use messaging::record::NothingRecorded;
use projection_service::inspect::Model;
use projection_service::{NoSagaStates, ProjectionService, Projector, Settings, StartError};
use serde_json::json;
use storage::{Durability, LeaseSettings, Store};
use tokio::time::timeout;

use crate::place::Place;
use crate::shop::{Shop, caught_up, get};

const DAY: &str = "2010-12-01T08:26:00Z";
/// Longer than anything here takes: a test that waits for ever fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than the test waits: nobody waits for its end.
const LONG: Duration = Duration::from_mins(10);

fn lease(holder: &str, lasts: Duration) -> LeaseSettings {
    LeaseSettings { lasts, ..LeaseSettings::new("models", holder) }
}

async fn receive(shop: &mut Shop, quantity: u32) -> u64 {
    shop.append(DAY, &[("StockReceived", json!({ "sku": "a", "quantity": quantity }))]).await
}

#[tokio::test]
async fn the_next_waits_and_takes_over_when_the_first_ends() {
    let Some(place) = Place::postgres() else { return };
    let mut shop = Shop::new(place.home("models"));
    let first = shop.start_with(Some(lease("first", LONG))).await;
    let end = receive(&mut shop, 4).await;
    timeout(PATIENCE, caught_up(&first, end)).await.unwrap();
    {
        let next = shop.start_with(Some(lease("next", LONG)));
        assert!(timeout(Duration::from_millis(700), next).await.is_err(), "it waits");
        // Had it not waited but been slow, the lease would be its own, or the first's would be lost.
        let store = Store::open(&shop.home.catalog(), Durability::Full, 1).await.unwrap();
        let holder = "SELECT holder FROM leases";
        let holder: String = store.writer().await.unwrap().query(holder).scalar().await.unwrap();
        store.close().await;
        assert_eq!(holder, "first");
    }
    first.shutdown().await;
    let next = timeout(PATIENCE, shop.start_with(Some(lease("next", LONG)))).await.unwrap();
    let end = receive(&mut shop, 5).await;
    timeout(PATIENCE, caught_up(&next, end)).await.unwrap();
    assert_eq!(get(&next, "/stock/a").await["available"], 9);
    next.shutdown().await;
}

#[tokio::test]
async fn the_next_takes_over_when_the_lease_has_run_out() {
    let Some(place) = Place::postgres() else { return };
    let mut shop = Shop::new(place.home("models"));
    let short = Duration::from_millis(500);
    // Asked for by somebody who is gone at once.
    shop.home.make().await.unwrap();
    let store = Store::open(&shop.home.catalog(), Durability::Full, 1).await.unwrap();
    let settings = lease("gone", short);
    drop(storage::Lease::shared(store.clone(), settings).await.unwrap().acquire().await);
    store.close().await;
    let end = receive(&mut shop, 4).await;
    let next = timeout(PATIENCE, shop.start_with(Some(lease("next", LONG)))).await.unwrap();
    timeout(PATIENCE, caught_up(&next, end)).await.unwrap();
    assert_eq!(get(&next, "/stock/a").await["available"], 4);
    next.shutdown().await;
}

#[tokio::test]
async fn one_whose_lease_was_taken_writes_nothing_and_ends() {
    let Some(place) = Place::postgres() else { return };
    let mut shop = Shop::new(place.home("models"));
    let sleeper = shop.start_with(Some(lease("sleeper", LONG))).await;
    let end = receive(&mut shop, 4).await;
    timeout(PATIENCE, caught_up(&sleeper, end)).await.unwrap();
    // What a standby does when a lease has run out, while its holder sleeps and does not hear of it.
    let store = Store::open(&shop.home.catalog(), Durability::Full, 1).await.unwrap();
    let take = "UPDATE leases SET token = token + 1, holder = 'another'";
    assert_eq!(store.writer().await.unwrap().query(take).execute().await.unwrap(), 1);
    store.close().await;
    receive(&mut shop, 5).await;
    timeout(PATIENCE, sleeper.ended()).await.unwrap();
    let model = Model::live(shop.home.clone(), Projector::Stock).await.unwrap().unwrap();
    assert_eq!(model.position().await.unwrap(), end);
    model.close().await;
    sleeper.shutdown().await;
}

#[tokio::test]
async fn a_lease_over_files_is_refused() {
    let place = Place::sqlite();
    let settings = Settings { lease: Some(lease("one", LONG)), ..Settings::at(place.home("m")) };
    let shop = Shop::new(place.home("m"));
    let vault = Arc::clone(&shop.vault);
    let started = ProjectionService::start(
        settings,
        shop.feed(),
        vault,
        Arc::new(NoSagaStates),
        Arc::new(NothingRecorded),
    );
    assert!(matches!(started.await.err(), Some(StartError::NotShared)));
}

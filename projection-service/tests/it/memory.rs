//! The same runner on rows in memory, as the simulation has it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use event_store::EventLog as _;
use futures::future::BoxFuture;
use messaging::feed::Feed;
use projection_service::memory::{Access, Disk, MemoryModels, MemoryProjection};
use serde_json::json;

use crate::shop::Shop;

const DAY: &str = "2010-12-01T08:26:00Z";
const PATIENCE: Duration = Duration::from_secs(20);

struct Perfect;

impl Disk for Perfect {
    fn reach<'a>(&'a self, _: &'a str, _: Access) -> BoxFuture<'a, std::io::Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

fn start(models: &MemoryModels, shop: &Shop) -> MemoryProjection {
    let (feed, disk): (Arc<dyn Feed>, Arc<dyn Disk>) = (shop.feed(), Arc::new(Perfect));
    MemoryProjection::start(models, &feed, &disk)
}

async fn shop_with(quantities: &[u32]) -> Shop {
    let mut shop = Shop::new(PathBuf::new().into());
    receive(&mut shop, quantities).await;
    shop
}

async fn receive(shop: &mut Shop, quantities: &[u32]) {
    for quantity in quantities {
        shop.append(DAY, &[("StockReceived", json!({ "sku": "a", "quantity": quantity }))]).await;
    }
}

/// Waits until every model is the fold of the log, which nobody has to read for that.
async fn is_the_fold(models: &MemoryModels, shop: &Shop) {
    let log = shop.log.read_all(0, 1_000).await.unwrap();
    let is_there = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        loop {
            looks.tick().await;
            let end = log.len() as u64;
            if models.positions().iter().all(|(_, position)| *position == end) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, is_there).await.unwrap();
    assert_eq!(models.differences(&log), Vec::<String>::new());
}

#[tokio::test]
async fn rows_in_memory_are_the_fold_of_the_log_also_after_commits_were_lost() {
    let (models, shop) = (MemoryModels::default(), shop_with(&[4, 5]).await);
    let _projection = start(&models, &shop);
    is_the_fold(&models, &shop).await;
    assert!(models.lose_last(1) > 0);
    assert_ne!(models.differences(&shop.log.read_all(0, 9).await.unwrap()), Vec::<String>::new());
    is_the_fold(&models, &shop).await;
}

#[tokio::test]
async fn whoever_opened_the_models_last_writes_them_and_the_other_ends() {
    let (models, mut shop) = (MemoryModels::default(), shop_with(&[4]).await);
    let old = start(&models, &shop);
    is_the_fold(&models, &shop).await;
    let new = start(&models, &shop);
    receive(&mut shop, &[5, 6]).await;
    is_the_fold(&models, &shop).await;
    let ended = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while !old.has_ended() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert!(!new.has_ended());
}

/// Waits until so many events were applied to every model, or passed over.
async fn until_at(end: u64, positions: impl Fn() -> Vec<u64>) {
    let there = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while positions().iter().any(|position| *position < end) {
            looks.tick().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, there).await;
    assert!(waited.is_ok(), "{:?} of {end}", positions());
}

fn in_memory(projection: &MemoryProjection) -> Vec<u64> {
    projection.positions().into_iter().map(|(_, position, _)| position).collect()
}

#[tokio::test(start_paused = true)]
async fn whoever_was_taken_over_ends_though_no_further_event_comes() {
    let (models, shop) = (MemoryModels::default(), shop_with(&[4]).await);
    let old = start(&models, &shop);
    // Most models have passed the event over, and have yet to write that down.
    until_at(1, || in_memory(&old)).await;
    let new = start(&models, &shop);
    let ended = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while !old.has_ended() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert!(!new.has_ended());
}

#[tokio::test(start_paused = true)]
async fn what_a_replay_finds_to_be_lost_is_made_again_though_no_further_event_comes() {
    let (models, mut shop) = (MemoryModels::default(), shop_with(&[4]).await);
    let unreadable = json!({ "sku": "b", "quantity": "many" }).to_string();
    shop.append_raw(DAY, "stock-b", "StockReceived", unreadable).await;
    let projection = start(&models, &shop);
    let stands = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        let stands =
            |(name, _, fault): &(&str, u64, Option<String>)| *name == "stock" && fault.is_some();
        while !projection.positions().iter().any(stands) {
            looks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, stands).await.unwrap();
    assert_eq!(projection.park("stock", chrono::DateTime::UNIX_EPOCH).await.unwrap(), "b");
    receive(&mut shop, &[5]).await;
    until_at(3, || in_memory(&projection)).await;
    assert!(models.lose_last(1) > 0);
    projection.replay("stock", "b").await.unwrap_err();
    let stock = || models.positions().into_iter().filter(|(name, _)| *name == "stock");
    until_at(3, || stock().map(|(_, position)| position).collect()).await;
}

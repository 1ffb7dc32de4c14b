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

/// Waits until every model is the fold of the log, read again and again as people do.
async fn is_the_fold(models: &MemoryModels, projection: &MemoryProjection, shop: &Shop) {
    let log = shop.log.read_all(0, 1_000).await.unwrap();
    let is_there = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        loop {
            looks.tick().await;
            projection.read();
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
    let projection = start(&models, &shop);
    is_the_fold(&models, &projection, &shop).await;
    assert!(models.lose_last(1) > 0);
    assert_ne!(models.differences(&shop.log.read_all(0, 9).await.unwrap()), Vec::<String>::new());
    is_the_fold(&models, &projection, &shop).await;
}

#[tokio::test]
async fn whoever_opened_the_models_last_writes_them_and_the_other_ends() {
    let (models, mut shop) = (MemoryModels::default(), shop_with(&[4]).await);
    let old = start(&models, &shop);
    is_the_fold(&models, &old, &shop).await;
    let new = start(&models, &shop);
    receive(&mut shop, &[5, 6]).await;
    is_the_fold(&models, &new, &shop).await;
    let ended = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while !old.has_ended() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert!(!new.has_ended());
}

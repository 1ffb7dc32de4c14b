//! What was heard of the log's head may be older than what the stream has brought.

use std::sync::Arc;

use event_store::Position;
use messaging::conformance::FeedOver;
use messaging::embedded::EmbeddedFeed;
use messaging::feed::Feed;
use messaging::record::NothingRecorded;
use projection_service::{NoSagaStates, ProjectionService, Settings};
use serde_json::json;
use tokio::sync::watch;

use crate::place::{Place, on_both};
use crate::shop::{Shop, caught_up, get, placed};

on_both! { a_model_that_stands_beyond_the_head_that_was_heard_last_goes_on }

/// The feed of a process that heard of the first position, and of none since.
struct OldHead {
    inner: Arc<EmbeddedFeed>,
    head: watch::Sender<Position>,
}

impl FeedOver for OldHead {
    fn under(&self) -> &dyn Feed {
        &*self.inner
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }
}

async fn a_model_that_stands_beyond_the_head_that_was_heard_last_goes_on(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let received = |quantity: u32| json!({ "sku": "a", "quantity": quantity });
    let orders = [placed("o1", "a", 1), ("StockReceived", received(4))];
    let end = shop.append("2010-12-01T08:26:00Z", &orders).await;
    let service = shop.start().await;
    let path = "/stock/a";
    let before = get(&service, &format!("{path}?min_position={end}")).await;
    service.shutdown().await;

    let feed = Arc::new(OldHead { inner: shop.feed(), head: watch::Sender::new(1) });
    let (vault, sagas) = (Arc::clone(&shop.vault), Arc::new(NoSagaStates));
    let settings = Settings::at(shop.home.clone());
    let started = ProjectionService::start(settings, feed, vault, sagas, Arc::new(NothingRecorded));
    let service = started.await.unwrap();
    assert_eq!(get(&service, path).await, before);
    let more = shop.append("2010-12-01T08:30:00Z", &[("StockReceived", received(3))]).await;
    caught_up(&service, more).await;
    let after = get(&service, path).await;
    assert_eq!(after["on_hand"].as_u64(), before["on_hand"].as_u64().map(|before| before + 3));
    service.shutdown().await;
}

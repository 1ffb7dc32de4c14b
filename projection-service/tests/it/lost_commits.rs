//! A crash of the database may take back what a model committed last, each commit whole. It is made again from the log, and
//! nothing older is shown meanwhile as if it were as new as what is lost.

use std::time::Duration;

use axum::http::StatusCode;
use event_store::EventLog as _;
use projection_service::{ProjectionService, Projector};
use serde_json::json;

use crate::place::{Place, on_both};
use crate::shop::{Shop, ask, caught_up, get};

/// Far more than it takes.
const PATIENCE: Duration = Duration::from_mins(1);
const DAY: &str = "2010-12-01T08:26:00Z";

on_both! {
    p11_monotonic_what_the_database_lost_is_not_shown_and_comes_back,
    p5_exactly_once_what_the_database_lost_is_made_again_before_what_follows,
    what_the_database_lost_comes_back_though_nobody_reads_and_no_event_comes,
}

async fn received(shop: &mut Shop, quantity: u32) -> u64 {
    shop.append(DAY, &[("StockReceived", json!({ "sku": "a", "quantity": quantity }))]).await
}

/// A shop that received 4 and 5, whose model stands as it stood after the first.
async fn after_a_loss(place: &Place) -> (Shop, ProjectionService) {
    let mut shop = Shop::new(place.home("models"));
    received(&mut shop, 4).await;
    let end = received(&mut shop, 5).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    let first = shop.log.read_all(0, 1).await.unwrap()[0].id;
    let database = service.handles()[Projector::Stock as usize].current().database;
    let mut crash = database.begin().await.unwrap();
    let row = "UPDATE stock SET available = 4, version = 1 WHERE sku = 'a'";
    assert_eq!(crash.query(row).execute().await.unwrap(), 1);
    let checkpoint = "UPDATE checkpoint SET position = 1, event_id = $1";
    let checkpoint = crash.query(checkpoint).bind(first.as_bytes().as_slice());
    assert_eq!(checkpoint.execute().await.unwrap(), 1);
    crash.commit().await.unwrap();
    (shop, service)
}

async fn p11_monotonic_what_the_database_lost_is_not_shown_and_comes_back(place: Place) {
    let (_shop, service) = after_a_loss(&place).await;
    let mut status = service.handles()[Projector::Stock as usize].status();
    status.mark_unchanged();
    let asked = || ask(&service, "GET", "/stock/a?min_position=2");
    let mut answer = asked().await;
    while answer.status != StatusCode::OK {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        status.changed().await.unwrap();
        answer = asked().await;
    }
    assert_eq!(answer.body["available"], 9);
    service.shutdown().await;
}

async fn p5_exactly_once_what_the_database_lost_is_made_again_before_what_follows(place: Place) {
    let (mut shop, service) = after_a_loss(&place).await;
    let end = received(&mut shop, 1).await;
    caught_up(&service, end).await;
    let stock = get(&service, "/stock/a").await;
    assert_eq!((&stock["available"], &stock["version"]), (&json!(10), &json!(3)));
    service.shutdown().await;
}

/// As after a crash when all is at rest: whoever looks at the database itself, as a digest does, finds it whole again.
async fn what_the_database_lost_comes_back_though_nobody_reads_and_no_event_comes(place: Place) {
    let (_shop, service) = after_a_loss(&place).await;
    let database = service.handles()[Projector::Stock as usize].current().database;
    let whole = async {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        loop {
            looks.tick().await;
            let mut here = database.begin().await.unwrap();
            let available = here.query("SELECT available FROM stock WHERE sku = 'a'");
            if available.scalar::<i64>().await.unwrap() == 9 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, whole).await.expect("it is made again");
    service.shutdown().await;
}

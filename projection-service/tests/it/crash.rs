//! P5: a position is applied once, wherever the process ended, in whatever batches.

use projection_service::projectors::readers;
use projection_service::runner::apply::Apply;
use projection_service::{Home, Projector};
use serde_json::json;

use crate::place::{Place, on_both};
use crate::shop::{Shop, all, caught_up, digests, placed};
use event_store::EventLog;

const DAY: &str = "2010-12-01T08:26:00Z";

/// A small deterministic source of sizes.
struct Sizes(u64);

impl Sizes {
    fn next(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1 + (self.0 >> 33) % most
    }
}

async fn busy(shop: &mut Shop) -> u64 {
    for sku in ["a", "b"] {
        shop.append(DAY, &[("StockReceived", json!({ "sku": sku, "quantity": 1000 }))]).await;
    }
    let draft = json!({ "order_id": "cart", "currency": "GBP", "payment_method": "pm_ok", "shipping_address": { "country": "EIRE" } });
    let line = |line: u32, sku: &str| {
        ("LineAdded", json!({ "order_id": "cart", "line": line, "sku": sku, "quantity": 2 }))
    };
    shop.append(
        DAY,
        &[
            ("DraftCreated", draft),
            line(1, "a"),
            line(2, "b"),
            ("LineRemoved", json!({ "order_id": "cart", "line": 1 })),
            placed("cart", "b", 5),
        ],
    )
    .await;
    let mut end = 0;
    for n in 0..12 {
        let sku = if n % 3 == 0 { "a" } else { "b" };
        end = shop
            .completed_order(&format!("o{n}"), &format!("2010-12-{:02}T09:00:00Z", 1 + n), sku)
            .await;
    }
    end
}

async fn apply_in_batches(
    shop: &Shop,
    home: &Home,
    sizes: &mut Sizes,
    most: u64,
    reopen: bool,
) -> Vec<String> {
    home.make().await.unwrap();
    let events = shop.log.read_all(0, 100_000).await.unwrap();
    let mut digests = Vec::new();
    let identity = shop.log.identity();
    for &projector in all() {
        let open = || projector.open(home, 1, &identity);
        let mut applier: Box<dyn Apply> = open().await.unwrap();
        while size(applier.checkpoint().position) < events.len() {
            // The page overlaps what was applied already, as after a crash between commit and acknowledgement.
            let at = size(applier.checkpoint().position);
            let from = at.saturating_sub(3);
            let to = (at + size(sizes.next(most))).min(events.len());
            let page = readers().decode(&events[from..to]).unwrap();
            applier.apply(&page, page.last()).await.unwrap();
            if reopen {
                // It ends before or after the position that was passed without rows was written down.
                if sizes.next(2) == 1 {
                    applier.keep_position().await.unwrap();
                }
                applier.generation().database.close().await;
                applier = open().await.unwrap();
            }
        }
        let database = &applier.generation().database;
        let mut connection = database.reader().await.unwrap();
        let found =
            projection_service::storage::digest::digest(&mut connection, projector.definition());
        digests.extend(found.await.unwrap().into_iter().map(|one| format!("{one:?}")));
    }
    digests
}

on_both! {
    p5_exactly_once_any_batches_give_the_same_rows_as_one_event_after_another,
    p5_exactly_once_a_projector_that_is_ended_after_any_batch_goes_on_where_it_was,
    the_service_goes_on_from_its_checkpoints_after_a_restart,
    a_checkpoint_of_another_log_faults_the_models,
}

async fn p5_exactly_once_any_batches_give_the_same_rows_as_one_event_after_another(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    busy(&mut shop).await;
    let serial = apply_in_batches(&shop, &place.home("serial"), &mut Sizes(1), 1, false).await;
    for seed in 2..7 {
        let home = place.home(&format!("seed_{seed}"));
        let batched = apply_in_batches(&shop, &home, &mut Sizes(seed), 40, false).await;
        assert_eq!(batched, serial, "seed {seed}");
    }
}

async fn p5_exactly_once_a_projector_that_is_ended_after_any_batch_goes_on_where_it_was(
    place: Place,
) {
    let mut shop = Shop::new(place.home("models"));
    busy(&mut shop).await;
    let whole = apply_in_batches(&shop, &place.home("whole"), &mut Sizes(1), 10_000, false).await;
    let broken = apply_in_batches(&shop, &place.home("broken"), &mut Sizes(9), 25, true).await;
    assert_eq!(broken, whole);
}

#[tokio::test]
async fn both_dialects_have_the_same_digests() {
    let folder = Place::sqlite();
    let Some(database) = Place::postgres() else { return };
    let mut shop = Shop::new(folder.home("models"));
    busy(&mut shop).await;
    let one = apply_in_batches(&shop, &folder.home("one"), &mut Sizes(3), 40, false).await;
    let other = apply_in_batches(&shop, &database.home("other"), &mut Sizes(8), 25, false).await;
    assert_eq!(one, other);
}

/// The commit fails at its very end; whether it happened is told by `happened`.
async fn after_a_failed_commit(happened: bool) {
    let Some(place) = Place::postgres() else { return };
    let mut shop = Shop::new(place.home("models"));
    busy(&mut shop).await;
    let events = shop.log.read_all(0, 100_000).await.unwrap();
    let identity = shop.log.identity();
    let open = || Projector::Stock.open(&shop.home, 1, &identity);
    let mut applier = open().await.unwrap();
    let (first, second) = events.split_at(events.len() / 2);
    let (first, second) = (readers().decode(first).unwrap(), readers().decode(second).unwrap());
    applier.apply(&first, first.last()).await.unwrap();
    let database = applier.generation().database.clone();
    let run = async |sql: &'static str| {
        database.writer().await.unwrap().query(sql).execute().await.unwrap();
    };
    run("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'")
        .await;
    run("CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON checkpoint DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse()")
    .await;
    assert!(applier.apply(&second, second.last()).await.is_err());
    run("DROP TRIGGER refuse ON checkpoint").await;
    if happened {
        open().await.unwrap().apply(&second, second.last()).await.unwrap();
    }
    applier.apply(&second, second.last()).await.unwrap();
    assert_eq!(applier.checkpoint().position, second.last());
    let mut reader = database.reader().await.unwrap();
    let definition = Projector::Stock.definition();
    let found = projection_service::storage::digest::digest(&mut reader, definition);
    let found: Vec<String> = found.await.unwrap().iter().map(|one| format!("{one:?}")).collect();
    let whole = apply_in_batches(&shop, &place.home("whole"), &mut Sizes(1), 10_000, false).await;
    assert!(whole.contains(&found[0]), "{found:?}");
}

#[tokio::test]
async fn p5_exactly_once_a_commit_that_failed_is_done_again() {
    after_a_failed_commit(false).await;
}

#[tokio::test]
async fn p5_exactly_once_a_commit_that_happened_though_it_failed_is_not_done_again() {
    after_a_failed_commit(true).await;
}

async fn the_service_goes_on_from_its_checkpoints_after_a_restart(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let end = busy(&mut shop).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    service.shutdown().await;
    let end = shop.completed_order("later", DAY, "a").await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    let expected = apply_in_batches(&shop, &place.home("serial"), &mut Sizes(3), 7, false).await;
    assert_eq!(digests(&service).await, expected);
    service.shutdown().await;
}

async fn a_checkpoint_of_another_log_faults_the_models(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let end = busy(&mut shop).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    service.shutdown().await;
    let other = Shop::new(place.home("models"));
    let service = other.start().await;
    for handle in service.handles() {
        let mut status = handle.status();
        let faulted = status.wait_for(|status| status.fault.is_some()).await.unwrap().clone();
        assert!(faulted.fault.unwrap().cause.contains("build it anew"));
    }
    service.shutdown().await;
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

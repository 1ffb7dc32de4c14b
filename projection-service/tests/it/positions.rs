//! Where a model stands: also behind events that it does not read, which cost it no write.

use projection_service::Projector;
use projection_service::projectors::readers;
use projection_service::storage::checkpoint;
use serde_json::json;
use service_kit::position::WantedPosition;

use crate::place::{Place, on_both};
use crate::shop::{Shop, ask, caught_up};
use event_store::EventLog;

const DAY: &str = "2010-12-01T08:26:00Z";

async fn in_file(database: &storage::Store) -> u64 {
    let mut connection = database.reader().await.unwrap();
    checkpoint::position(&mut connection).await.unwrap()
}

on_both! {
    what_a_model_does_not_read_is_passed_in_memory_until_rows_or_a_call_take_it_along,
    an_answer_names_the_position_that_was_passed_in_memory,
}

async fn what_a_model_does_not_read_is_passed_in_memory_until_rows_or_a_call_take_it_along(
    place: Place,
) {
    let mut shop = Shop::new(place.home("models"));
    let received = ("StockReceived", json!({ "sku": "a", "quantity": 4 }));
    let registered = |id: &str| ("CustomerRegistered", json!({ "customer_id": id }));
    shop.append(DAY, &[received.clone(), registered("c1")]).await;
    shop.append(DAY, &[registered("c2"), registered("c3"), received]).await;
    shop.append(DAY, &[registered("c4")]).await;
    let events = shop.log.read_all(0, 100).await.unwrap();
    shop.home.make().await.unwrap();
    let mut applier = Projector::Stock.open(&shop.home, 1, &shop.log.identity()).await.unwrap();
    let database = applier.generation().database.clone();
    let mut seen = Vec::new();
    for piece in [0..1, 1..3, 3..5, 5..6] {
        let page = readers().decode(&events[piece]).unwrap();
        applier.apply(&page, page.last()).await.unwrap();
        let (shown, file) = (applier.generation().reach(), in_file(&database).await);
        assert_eq!(shown.shown_with(file), Some(applier.checkpoint().position));
        assert!(file == 0 || shown.shown_with(file - 1).is_none(), "what was committed is lost");
        seen.push((applier.checkpoint().position, file));
    }
    assert_eq!(seen, [(1, 1), (3, 1), (5, 5), (6, 5)]);
    applier.keep_position().await.unwrap();
    assert_eq!(in_file(&database).await, 6);
}

async fn an_answer_names_the_position_that_was_passed_in_memory(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    shop.append(DAY, &[("StockReceived", json!({ "sku": "a", "quantity": 4 }))]).await;
    let service = shop.start().await;
    caught_up(&service, 1).await;
    for end in 2..5 {
        let customer = json!({ "customer_id": format!("c{end}") });
        shop.append(DAY, &[("CustomerRegistered", customer)]).await;
        let answer = ask(&service, "GET", &format!("/stock/a?min_position={end}")).await;
        let token = answer.headers["docket-position"].to_str().unwrap();
        let token: WantedPosition = token.parse().unwrap();
        let identity = shop.log.identity();
        assert_eq!(token.within(&identity.log, identity.epoch).unwrap(), end);
    }
    service.shutdown().await;
    let model = projection_service::inspect::Model::live(shop.home.clone(), Projector::Stock);
    assert_eq!(model.await.unwrap().unwrap().position().await.unwrap(), 4);
}

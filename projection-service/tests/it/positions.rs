//! Where a model stands: also behind events that it does not read, which cost it no write.

use std::time::{Duration, Instant};

use futures::future::join_all;
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
    a_position_that_was_made_up_holds_nobody_up,
    a_position_that_was_not_heard_of_yet_is_waited_for,
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

async fn a_position_that_was_made_up_holds_nobody_up(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    shop.append(DAY, &[("StockReceived", json!({ "sku": "a", "quantity": 4 }))]).await;
    let service = shop.start().await;
    caught_up(&service, 1).await;
    let ask_for = async |position: u64| {
        let begun = Instant::now();
        let answer = ask(&service, "GET", &format!("/stock/a?min_position={position}")).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (503, &json!("position_not_reached"))
        );
        (begun.elapsed(), answer.body["detail"].as_str().unwrap().to_owned())
    };
    let (took, detail) = ask_for(99_999_999).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(detail.contains("last heard of at 1"), "{detail}");
    // One that others may have heard of takes a moment, and few of them at a time.
    let answers = join_all((0..100).map(|_| ask_for(2))).await;
    let at_once = answers.iter().filter(|(took, _)| *took < Duration::from_secs(2)).count();
    assert_eq!(at_once, 36);
    assert!(answers.iter().all(|(took, _)| *took < Duration::from_secs(4)), "{answers:?}");
    service.shutdown().await;
}

async fn a_position_that_was_not_heard_of_yet_is_waited_for(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let received = ("StockReceived", json!({ "sku": "a", "quantity": 4 }));
    shop.append(DAY, std::slice::from_ref(&received)).await;
    let service = shop.start().await;
    caught_up(&service, 1).await;
    let asked = ask(&service, "GET", "/stock/a?min_position=2");
    let appended = async {
        tokio::task::yield_now().await;
        shop.append(DAY, &[received]).await
    };
    let (answer, _) = tokio::join!(asked, appended);
    assert_eq!((answer.status.as_u16(), &answer.body["on_hand"]), (200, &json!(8)));
    service.shutdown().await;
}

//! Where a model stands: also behind events that it does not read, which cost it no write.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{Request, StatusCode};
use futures::future::join_all;
use projection_service::Projector;
use projection_service::projectors::readers;
use projection_service::storage::checkpoint;
use serde_json::json;
use service_kit::access::Access;
use service_kit::position::WantedPosition;
use tower::ServiceExt as _;

use crate::customers::of_customer;
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
    a_customer_who_makes_positions_up_takes_no_place_of_others,
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

/// Asks so many times at once for a position that never comes: how many of these are refused after a moment, and not at once.
async fn wait_for_nothing(router: &Router, token: &str, times: usize) -> usize {
    let asked = (0..times).map(async |_| {
        let request = Request::get("/products?min_position=50").header(AUTHORIZATION, token);
        let begun = Instant::now();
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        begun.elapsed()
    });
    let took = join_all(asked).await;
    assert!(took.iter().all(|took| *took < Duration::from_secs(4)), "{took:?}");
    took.iter().filter(|took| **took >= Duration::from_secs(2)).count()
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
    let (router, _) = service.router(&Access::open()).split_for_parts();
    assert_eq!(wait_for_nothing(&router, "", 548).await, 512);
    service.shutdown().await;
}

async fn a_customer_who_makes_positions_up_takes_no_place_of_others(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let received = ("StockReceived", json!({ "sku": "a", "quantity": 4 }));
    shop.append(DAY, std::slice::from_ref(&received)).await;
    let service = shop.start().await;
    caught_up(&service, 1).await;
    let (router, token) = of_customer(&service, "c1").await;
    let honest = async {
        tokio::task::yield_now().await;
        let asked = ask(&service, "GET", "/stock/a?min_position=2");
        let appended = async {
            tokio::task::yield_now().await;
            shop.append(DAY, &[received]).await
        };
        tokio::join!(asked, appended).0
    };
    let (waited, honest) = tokio::join!(wait_for_nothing(&router, &token, 520), honest);
    assert_eq!((waited, honest.status), (64, StatusCode::OK));
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

//! Who comes when there is no room is told to come again, and nothing happened.

use command_service::processor::ProcessorSettings;
use domain::ids::{OrderId, Sku};
use domain::inventory::{ReceiveStock, ReserveStock, SkuQuantity};
use domain::text::Quantity;
use futures::FutureExt as _;
use serde_json::{Value, json};

use crate::support::{Answered, TestApp, asked, events};

fn receive() -> ReceiveStock {
    ReceiveStock {
        sku: Sku::parse("22423").unwrap(),
        quantity: Quantity::new(1).unwrap(),
        reason: None,
    }
}

fn order(id: &str) -> Value {
    json!({ "order_id": id, "currency": "GBP", "lines": [{ "sku": "22423", "quantity": 1 }],
        "payment_method": "pm_ok", "shipping_address": { "country": "France", "city": "Lyon" } })
}

#[track_caller]
fn is_turned_away(answered: &Answered) {
    answered.is_problem(503, "overloaded");
    assert_eq!(answered.header("retry-after"), "1");
}

#[tokio::test]
async fn while_the_queue_is_full_a_command_is_turned_away_unread_and_taken_afterwards() {
    let settings = ProcessorSettings { queue: 2, ..ProcessorSettings::default() };
    let app = TestApp::bounded(settings).await;
    app.sell("22423", 10).await;
    let before = events(&*app.log).await.len();
    let processor = app.service.processor();
    // Nobody but this test has had a turn when these have been handed over.
    let mut waiting = ["a", "b"].map(|id| Box::pin(processor.execute(asked(id, receive()))));
    assert!(waiting.iter_mut().all(|command| command.now_or_never().is_none()));
    let path = "/stock/22423/receive";
    is_turned_away(&app.post(path, "k", json!({ "quantity": 5 })).await);
    assert_eq!(events(&*app.log).await.len(), before);
    // It waits for its turn to be refused, and was not read either.
    is_turned_away(&app.post(path, "k", "this is no JSON").await);
    for command in waiting {
        command.await.unwrap();
    }
    app.post(path, "k", json!({ "quantity": 5 })).await.is(200);
    assert_eq!(events(&*app.log).await.len(), before + 3);
}

#[tokio::test]
async fn while_many_orders_wait_to_be_begun_another_is_turned_away_and_all_else_is_taken() {
    let settings = ProcessorSettings { orders: Some(2), ..ProcessorSettings::default() };
    let app = TestApp::bounded(settings).await;
    app.sell("22423", 10).await;
    let mut cart = order("cart");
    cart["draft"] = json!(true);
    app.post("/orders", "cart", cart).await.is(201);
    for id in ["a", "b"] {
        app.post("/orders", id, order(id)).await.is(201);
    }
    let before = events(&*app.log).await.len();
    is_turned_away(&app.post("/orders", "c", order("c")).await);
    assert_eq!(events(&*app.log).await.len(), before);
    is_turned_away(&app.post("/orders", "c", "this is no JSON").await);
    is_turned_away(&app.post("/orders/cart/place", "place", "").await);
    app.post("/orders/cart/lines", "line", json!({ "sku": "22423", "quantity": 2 })).await.is(201);
    app.post("/stock/22423/receive", "more", json!({ "quantity": 5 })).await.is(200);

    let lines = vec![SkuQuantity { sku: receive().sku, quantity: receive().quantity }];
    let reserve = ReserveStock { order_id: OrderId::parse("a").unwrap(), lines };
    let own = app.service.processor().for_own_work();
    own.execute(asked("order-a/reserve_stock/1", reserve)).await.unwrap();
    app.post("/orders", "c", order("c")).await.is(201);
}

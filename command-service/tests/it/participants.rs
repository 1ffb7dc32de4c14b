//! Messages of the command queue: each ends in an event that carries its id.

use std::sync::Arc;

use domain::command::Command;
use domain::ids::{OrderId, Sku};
use domain::inventory::{ReleaseStock, ReserveStock, SkuQuantity};
use domain::orders::ConfirmOrder;
use domain::text::Quantity;
use messaging::commands::{CommandHandler, CommandMessage, Handled};
use service_kit::clock::system;

use crate::support::{TestApp, events, types};

fn order_id() -> OrderId {
    OrderId::parse("o").unwrap()
}

pub(crate) fn message(id: &str, command: impl Into<Command>) -> CommandMessage {
    CommandMessage {
        command_id: id.into(),
        body: serde_json::to_string(&command.into()).unwrap(),
        correlation_id: "order-o".into(),
        causation_id: Some("1".into()),
        traceparent: None,
        occurred_at: system()(),
        begun: false,
    }
}

fn reserve(units: u32) -> ReserveStock {
    let quantity = Quantity::new(units).unwrap();
    let sku = Sku::parse("22423").unwrap();
    ReserveStock { order_id: order_id(), lines: vec![SkuQuantity { sku, quantity }] }
}

#[tokio::test]
async fn a_command_has_its_effect_once_however_often_its_message_comes() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let participants = app.service.participants();
    for _ in 0..3 {
        let handled = participants.handle(message("order-o/reserve_stock/1", reserve(4))).await;
        assert_eq!(handled, Handled::Done);
    }
    assert_eq!(types(&*app.log, "reservation-o").await, ["ReservationMade"]);
    let events = events(&*app.log).await;
    let carried = events.iter().filter(|e| &*e.metadata.command_id == "order-o/reserve_stock/1");
    assert_eq!(carried.count(), 2);
}

#[tokio::test]
async fn a_refusal_and_an_unneeded_command_end_in_an_event_with_the_commands_id() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let participants = app.service.participants();
    let confirm = ConfirmOrder { order_id: order_id(), payment_id: None };
    let release = ReleaseStock { order_id: order_id(), lines: None, cancellation_id: None };
    for (id, command) in [
        ("order-o/confirm_order/1", Command::from(confirm)),
        ("order-o/release_stock/1", release.clone().into()),
        ("order-o/release_stock/2", release.into()),
    ] {
        for _ in 0..2 {
            let handled = participants.handle(message(id, command.clone())).await;
            assert_eq!(handled, Handled::Done, "{id}");
        }
    }
    assert_eq!(types(&*app.log, "commands-o").await, ["CommandRefused", "CommandUnneeded"]);
    let refused = app.get("/events?after=2&limit=1").await;
    let refused = &refused.is(200)["items"][0];
    assert_eq!(refused["command_id"], "order-o/confirm_order/1");
    assert_eq!(refused["data"]["code"], "order_not_found");
}

#[tokio::test]
async fn a_message_that_this_build_does_not_know_is_parked() {
    let app = TestApp::start().await;
    let mut unknown = message("order-o/teleport/1", reserve(1));
    unknown.body = r#"{"command":"Teleport","body":{"order_id":"o"}}"#.to_owned();
    let participants = app.service.participants();
    for _ in 0..2 {
        assert_eq!(participants.handle(unknown.clone()).await, Handled::Done);
    }
    assert_eq!(types(&*app.log, "commands-o").await, ["CommandParked"]);
    unknown.body = "not json".to_owned();
    unknown.command_id = Arc::from("order-o/teleport/2");
    assert_eq!(participants.handle(unknown).await, Handled::Done, "it is not offered for ever");
    assert_eq!(events(&*app.log).await.len(), 1);
}

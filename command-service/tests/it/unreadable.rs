//! An event that this build can't read stops the commands that need its stream, says so, and stops no others.

use std::sync::Arc;

use command_service::processor::{ExecuteError, ProcessorSettings};
use domain::catalog::RegisterProduct;
use domain::ids::Sku;
use domain::inventory::ReceiveStock;
use domain::money::{Currency, Money};
use domain::text::{Label, Quantity};
use event_store::memory::MemoryLog;
use event_store::{AppendTransaction, EventLog, Metadata, NewEvent, Position};
use serde_json::json;
use service_kit::clock::system;

use crate::support::{FaultyLog, TestApp, execute, processor};

/// What a later version would have written into a stream that ends at this version.
async fn written_by_a_later_version(log: &dyn EventLog, stream: &str, version: u64) -> Position {
    let id: Arc<str> = "later".into();
    let event = NewEvent {
        stream: stream.into(),
        event_type: "Teleported".into(),
        schema_version: 1,
        payload: "{}".to_owned(),
    };
    let metadata = Metadata {
        command_id: Arc::clone(&id),
        actor: "later".into(),
        correlation_id: Arc::clone(&id),
        causation_id: None,
        traceparent: None,
        occurred_at: system()(),
    };
    let transaction = AppendTransaction {
        command_id: id,
        request_hash: [7; 32],
        reads: vec![(stream.into(), version)],
        events: vec![event],
        metadata: Arc::new(metadata),
        answer: None,
        intents: Vec::new(),
    };
    log.append(vec![transaction]).await.unwrap();
    *log.head().borrow()
}

#[tokio::test]
async fn it_is_named_with_its_stream_and_all_others_go_on() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let position = written_by_a_later_version(&*app.log, "product-A", 0).await;
    let received = json!({ "quantity": 5 });
    for _ in 0..2 {
        let answer = app.post("/stock/A/receive", "a", &received).await;
        let problem = answer.is_problem(500, "stream_unreadable");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("product-A"), "{detail}");
        assert!(detail.contains(&format!("position {position}")), "{detail}");
    }
    app.post("/stock/22423/receive", "b", &received).await.is(200);
}

#[tokio::test]
async fn a_batch_of_which_one_command_needs_it_is_carried_out_but_for_that_one() {
    let log = FaultyLog::over(MemoryLog::new());
    let position = written_by_a_later_version(&*log, "product-A", 0).await;
    let processor = processor(&log, ProcessorSettings::default());
    let (sku, other) = (Sku::parse("A").unwrap(), Sku::parse("B").unwrap());
    let receive = ReceiveStock { sku, quantity: Quantity::new(1).unwrap(), reason: None };
    let unit_price = Money::new(5, Currency::parse("GBP").unwrap());
    let register =
        RegisterProduct { sku: other, name: Label::parse("B").unwrap(), unit_price, stocked: true };
    let (unread, done) =
        tokio::join!(execute(&processor, "1", receive), execute(&processor, "2", register));
    let stream = "product-A".into();
    assert_eq!(unread.unwrap_err(), ExecuteError::Unreadable { stream, position });
    assert_eq!(done.unwrap().version, 1);
}

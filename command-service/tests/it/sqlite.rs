//! The same service over the SQLite log: what is answered is on disk and there after a restart.

use domain::ids::{OrderId, PaymentId};
use domain::money::{Currency, Money};
use domain::payments::AuthorizePayment;
use domain::text::PaymentMethod;
use event_store::EventLog;
use event_store::sqlite::SqliteLog;
use futures::future::join_all;
use messaging::commands::CommandHandler;
use serde_json::json;

use crate::participants::message;
use crate::support::{FaultyLog, TestApp, events, until};

#[tokio::test]
async fn commands_payments_and_erasures_end_on_disk_and_leave_no_intent_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let app = TestApp::over(FaultyLog::over(SqliteLog::open(&path).await.unwrap())).await;
    app.sell("22423", 10).await;
    let keys: Vec<String> = (0..200).map(|n| format!("r{n}")).collect();
    let receive = |key| app.post("/stock/22423/receive", key, json!({ "quantity": 1 }));
    let answers = join_all(keys.iter().map(|key| receive(key))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    app.post("/customers", "c", json!({ "customer_id": "c1", "name": "Ada" })).await.is(201);
    app.post("/customers/c1/erase", "e", json!({ "reason": "asked for it" })).await.is(200);
    let order_id = OrderId::parse("o").unwrap();
    let authorize = AuthorizePayment {
        payment_id: PaymentId::nth(&order_id, 1),
        order_id,
        amount: Money::new(500, Currency::parse("GBP").unwrap()),
        method: PaymentMethod::parse("pm_ok").unwrap(),
    };
    app.service.participants().handle(message("a", authorize)).await;
    until(&*app.log, "payment-o-p1", "PaymentAuthorized").await;
    assert_eq!(app.log.open_intents().await.unwrap(), []);
    let before = events(&*app.log).await.len();
    assert_eq!(before, 2 + 200 + 2 + 2);
    app.service.shutdown().await;

    let app = TestApp::over(FaultyLog::over(SqliteLog::open(&path).await.unwrap())).await;
    let again = app.post("/stock/22423/receive", "r0", json!({ "quantity": 1 })).await;
    again.is(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(events(&*app.log).await.len(), before);
    let take = |delta: i64| json!({ "delta": delta, "reason": "count" });
    app.post("/stock/22423/adjust", "t1", take(-211)).await.is_problem(422, "out_of_stock");
    app.post("/stock/22423/adjust", "t2", take(-210)).await.is(200);
}

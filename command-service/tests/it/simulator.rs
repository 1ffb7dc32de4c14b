//! The simulated provider by itself: its book, its keys, its probes.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use command_service::payments::simulator::{
    Ledger, SimulatedProvider, SimulatorSettings, desk_router,
};
use command_service::payments::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};
use domain::ids::{OrderId, PaymentId};
use domain::money::{Currency, Money};
use domain::payments::{Operation, ProviderOutcome};
use domain::text::PaymentMethod;
use futures::future::join_all;
use serde_json::Value;
use service_kit::clock::{Clock, system};
use tower::ServiceExt as _;

async fn provider() -> (SimulatedProvider, tempfile::TempDir) {
    provider_at(system()).await
}

async fn provider_at(clock: Clock) -> (SimulatedProvider, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("provider.db")).await.unwrap();
    (SimulatedProvider::start(ledger, clock, SimulatorSettings::default()), folder)
}

#[tokio::test]
async fn what_is_no_call_is_a_problem_like_others() {
    let (provider, _folder) = provider().await;
    for path in ["/calls", "/probes"] {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(Body::from("{}")).unwrap();
        let answer = desk_router(provider.clone()).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], "invalid_body", "{path}");
    }
}

pub(crate) fn call(operation: Operation, attempt: u32, minor: i64) -> ProviderCall {
    let order_id = OrderId::parse("o").unwrap();
    let payment_id = PaymentId::nth(&order_id, 1);
    ProviderCall {
        key: format!("{payment_id}/{}/{attempt}", operation.name()),
        payment_id,
        order_id,
        operation,
        attempt,
        amount: Money::new(minor, Currency::parse("GBP").unwrap()),
        method: (operation == Operation::Authorize).then(|| PaymentMethod::parse("pm_ok").unwrap()),
        correlation_id: "o".to_owned(),
        reference: None,
        opened_at: None,
        occurred_at: system()(),
        traceparent: None,
    }
}

fn outcome(answer: ProviderAnswer) -> ProviderOutcome {
    match answer {
        ProviderAnswer::Said { outcome, .. } => outcome,
        ProviderAnswer::NotAsked { .. } => panic!("nobody was asked"),
    }
}

#[tokio::test]
async fn a_repeated_key_is_answered_the_same_and_done_once() {
    let (provider, _folder) = provider().await;
    let authorize = call(Operation::Authorize, 1, 500);
    let answers = join_all((0..20).map(|_| provider.call(&authorize))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let ProviderAnswer::Said { outcome, amount } = &answers[0] else { panic!("{answers:?}") };
    assert!(matches!(outcome, ProviderOutcome::Authorized { multi_capture: true, .. }));
    assert_eq!(*amount, Some(authorize.amount));
    assert_eq!(provider.ledger().page(None, 0, 100).await.unwrap().len(), 1);
}

#[tokio::test]
async fn more_than_is_held_is_never_taken_and_more_than_was_taken_never_given_back() {
    let (provider, _folder) = provider().await;
    provider.call(&call(Operation::Authorize, 1, 500)).await;
    for (operation, attempt, minor, done) in [
        (Operation::Capture, 1, 501, false),
        (Operation::Capture, 2, 300, true),
        (Operation::Void, 1, 201, false),
        (Operation::Void, 2, 200, true),
        (Operation::Capture, 3, 1, false),
        (Operation::Refund, 1, 301, false),
        (Operation::Refund, 2, 300, true),
        (Operation::Refund, 3, 1, false),
    ] {
        let outcome = outcome(provider.call(&call(operation, attempt, minor)).await);
        assert_eq!(outcome == ProviderOutcome::Done, done, "{operation:?} {minor}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_probe_that_only_looks_leaves_the_key_usable() {
    let (provider, _folder) = provider().await;
    let authorize = call(Operation::Authorize, 1, 500);
    let looked = outcome(provider.probe(&authorize, WhenAbsent::LeaveOpen).await);
    assert_eq!(looked, ProviderOutcome::NeverDone);
    let done = provider.call(&authorize).await;
    assert_eq!(provider.probe(&authorize, WhenAbsent::Close).await, done);
}

#[tokio::test]
async fn a_key_that_was_closed_is_never_used() {
    let (provider, _folder) = provider().await;
    let authorize = call(Operation::Authorize, 1, 500);
    let closed = outcome(provider.probe(&authorize, WhenAbsent::Close).await);
    assert_eq!(closed, ProviderOutcome::NeverDone);
    assert_eq!(outcome(provider.call(&authorize).await), ProviderOutcome::NeverDone);
    let again = call(Operation::Authorize, 2, 500);
    let again = outcome(provider.call(&again).await);
    assert!(matches!(again, ProviderOutcome::Authorized { .. }));
}

#[tokio::test]
async fn what_is_held_can_not_be_captured_when_its_time_is_over() {
    let now = Arc::new(Mutex::new(system()()));
    let clock: Clock = {
        let now = Arc::clone(&now);
        Arc::new(move || *now.lock().unwrap())
    };
    let (provider, _folder) = provider_at(clock).await;
    let held = outcome(provider.call(&call(Operation::Authorize, 1, 500)).await);
    let ProviderOutcome::Authorized { expires_at, .. } = held else { panic!("{held:?}") };
    let captured = outcome(provider.call(&call(Operation::Capture, 1, 100)).await);
    assert_eq!(captured, ProviderOutcome::Done);
    *now.lock().unwrap() = expires_at;
    let late = outcome(provider.call(&call(Operation::Capture, 2, 100)).await);
    assert!(matches!(late, ProviderOutcome::Refused { retriable: false, .. }), "{late:?}");
}

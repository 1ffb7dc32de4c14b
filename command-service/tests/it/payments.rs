//! Intents are carried to their outcome, by payment method and across restarts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use command_service::Provider;
use command_service::payments::simulator::{SimulatedProvider, SimulatorSettings};
use command_service::payments::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};
use domain::command::Command;
use domain::ids::{OrderId, PaymentId, ReturnId, ShipmentId};
use domain::money::{Currency, Money};
use domain::payments::{
    AuthorizePayment, CapturePayment, Operation, ProviderOutcome, RefundPayment, VoidAuthorization,
};
use domain::text::PaymentMethod;
use event_store::EventLog;
use futures::future::BoxFuture;
use messaging::commands::{CommandHandler, Handled};
use service_kit::clock::system;

use crate::participants::message;
use crate::support::{TestApp, patient, types, until};

pub(crate) const STREAM: &str = "payment-o-p1";

fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").unwrap())
}

fn ids() -> (PaymentId, OrderId) {
    let order_id = OrderId::parse("o").unwrap();
    (PaymentId::nth(&order_id, 1), order_id)
}

pub(crate) fn authorize(method: &str) -> AuthorizePayment {
    authorize_of("o", method)
}

pub(crate) fn authorize_of(order: &str, method: &str) -> AuthorizePayment {
    let order_id = OrderId::parse(order).unwrap();
    let payment_id = PaymentId::nth(&order_id, 1);
    let method = PaymentMethod::parse(method).unwrap();
    AuthorizePayment { payment_id, order_id, amount: gbp(500), method }
}

fn capture(minor: i64) -> CapturePayment {
    let (payment_id, order_id) = ids();
    let shipment_id = ShipmentId::nth(&order_id, 1);
    CapturePayment { payment_id, order_id, shipment_id, amount: gbp(minor) }
}

fn refund(minor: i64) -> RefundPayment {
    let (payment_id, order_id) = ids();
    let return_id = ReturnId::nth(&order_id, 1);
    RefundPayment { payment_id, order_id, return_id, amount: gbp(minor) }
}

pub(crate) async fn ask(app: &TestApp, id: &str, command: impl Into<Command>) {
    let handled = app.service.participants().handle(message(id, command)).await;
    assert_eq!(handled, Handled::Done, "{id}");
}

async fn authorized(method: &str) -> TestApp {
    authorized_at(TestApp::start().await, method).await
}

async fn authorized_at(app: TestApp, method: &str) -> TestApp {
    ask(&app, "a", authorize(method)).await;
    until(&*app.log, STREAM, "PaymentAuthorized").await;
    app
}

async fn no_intent_is_open(app: &TestApp) -> bool {
    app.log.open_intents().await.unwrap().is_empty()
}

async fn ledger(app: &TestApp) -> Vec<(String, String)> {
    let path = "/simulator/ledger?payment_id=o-p1";
    let page = app.get(path).await;
    let items = page.is(200)["items"].as_array().unwrap().clone();
    let text = |item: &serde_json::Value, name: &str| item[name].as_str().unwrap().to_owned();
    items.iter().map(|item| (text(item, "operation"), text(item, "status"))).collect()
}

#[tokio::test]
async fn an_ok_payment_is_authorized_captured_and_refunded_once_each() {
    let app = authorized("pm_ok").await;
    ask(&app, "a", authorize("pm_ok")).await;
    ask(&app, "c", capture(300)).await;
    until(&*app.log, STREAM, "PaymentCaptured").await;
    ask(&app, "r", refund(100)).await;
    until(&*app.log, STREAM, "PaymentRefunded").await;
    let (payment_id, order_id) = ids();
    ask(&app, "v", VoidAuthorization { payment_id, order_id, amount: None, cancellation_id: None })
        .await;
    until(&*app.log, STREAM, "AuthorizationVoided").await;
    let done = ["authorize", "capture", "refund", "void"].map(|op| (op.into(), "done".into()));
    assert_eq!(ledger(&app).await, done);
    assert!(no_intent_is_open(&app).await);
}

#[tokio::test]
async fn a_refused_authorization_holds_nothing_and_says_why() {
    for (method, code) in [
        ("pm_declined", "declined"),
        ("pm_insufficient_funds", "insufficient_funds"),
        ("pm_nobody_knows", "unknown_payment_method"),
    ] {
        let app = TestApp::start().await;
        ask(&app, "a", authorize(method)).await;
        until(&*app.log, STREAM, "PaymentDeclined").await;
        let events = app.log.read_stream(&STREAM.into(), 1, 10).await.unwrap();
        assert!(events[0].payload.contains(code), "{}", events[0].payload);
        assert_eq!(&*events[0].metadata.command_id, "a/outcome");
        assert_eq!(ledger(&app).await, [("authorize".into(), "refused".into())]);
    }
}

#[tokio::test]
async fn p7_unknown_a_late_answer_is_found_by_the_probe_and_not_asked_for_again() {
    let app = authorized_at(TestApp::impatient().await, "pm_timeout_then_ok").await;
    let expected = ["PaymentRequested", "PaymentOutcomeUnknown", "PaymentAuthorized"];
    assert_eq!(types(&*app.log, STREAM).await, expected);
    assert_eq!(ledger(&app).await, [("authorize".into(), "done".into())]);
}

#[tokio::test]
async fn p7_unknown_a_lost_call_is_settled_when_the_probe_closes_its_key() {
    let app = TestApp::impatient().await;
    ask(&app, "a", authorize("pm_timeout_then_nothing")).await;
    until(&*app.log, STREAM, "PaymentDeclined").await;
    let expected = ["PaymentRequested", "PaymentOutcomeUnknown", "PaymentDeclined"];
    assert_eq!(types(&*app.log, STREAM).await, expected);
    assert_eq!(ledger(&app).await, [("authorize".into(), "closed".into())]);
    assert!(no_intent_is_open(&app).await);
}

/// A provider that is not there for its first calls, as one that is being restarted.
struct Restarted {
    provider: SimulatedProvider,
    lost: AtomicU32,
}

impl PaymentProvider for Restarted {
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        let count = self.lost.fetch_update(SeqCst, SeqCst, |lost| lost.checked_sub(1));
        if count.is_ok() {
            return Box::pin(std::future::ready(ProviderOutcome::Unknown.into()));
        }
        self.provider.call(call)
    }

    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer> {
        self.provider.probe(call, when_absent)
    }
}

#[tokio::test]
async fn p7_unknown_a_call_that_never_arrived_is_made_again_under_its_key() {
    let app = TestApp::asking(|ledger| {
        let provider = SimulatedProvider::start(ledger, system(), SimulatorSettings::default());
        Provider::Other(Arc::new(Restarted { provider, lost: AtomicU32::new(2) }))
    });
    let app = app.await;
    ask(&app, "a", authorize("pm_ok")).await;
    until(&*app.log, STREAM, "PaymentAuthorized").await;
    let expected = ["PaymentRequested", "PaymentOutcomeUnknown", "PaymentAuthorized"];
    assert_eq!(types(&*app.log, STREAM).await, expected);
    assert_eq!(app.ledger.page(None, 0, 10).await.unwrap().len(), 1, "one call counts");
}

/// A provider that has done everything, and says so after this time.
struct Slow(Duration);

impl PaymentProvider for Slow {
    fn call<'a>(&'a self, _call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        let expires_at = system()() + chrono::TimeDelta::days(7);
        let held = ProviderOutcome::Authorized { expires_at, multi_capture: true, reference: None };
        Box::pin(async {
            tokio::time::sleep(self.0).await;
            held.into()
        })
    }

    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        _when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer> {
        self.call(call)
    }
}

/// What becomes of an authorization that takes so long. Nothing here waits for the outside, so time is virtual.
async fn after(takes: Duration) -> Vec<String> {
    let app = TestApp::asking(|_| Provider::Other(Arc::new(Slow(takes)))).await;
    tokio::time::pause();
    ask(&app, "a", authorize("pm_slow")).await;
    let known = ["PaymentAuthorized", "PaymentOutcomeUnknown"];
    let mut head = app.log.head();
    while !types(&*app.log, STREAM).await.iter().any(|found| known.contains(&found.as_str())) {
        head.changed().await.unwrap();
    }
    tokio::time::resume();
    types(&*app.log, STREAM).await
}

#[tokio::test]
async fn a_slow_answer_is_in_time_until_the_deadline_and_unknown_from_then_on() {
    let deadline = patient().deadline;
    let (in_time, late) = (deadline.mul_f64(0.99), deadline.mul_f64(1.01));
    assert_eq!(after(in_time).await, ["PaymentRequested", "PaymentAuthorized"]);
    assert_eq!(after(late).await, ["PaymentRequested", "PaymentOutcomeUnknown"]);
}

#[tokio::test]
async fn a_capture_that_fails_twice_succeeds_with_a_third_attempt_under_its_own_key() {
    let app = authorized("pm_capture_fails_twice").await;
    for (attempt, failures) in [(1, 1), (2, 2)] {
        ask(&app, &format!("c{attempt}"), capture(500)).await;
        let mut head = app.log.head();
        while types(&*app.log, STREAM).await.iter().filter(|t| *t == "CaptureFailed").count()
            < failures
        {
            head.changed().await.unwrap();
        }
    }
    ask(&app, "c3", capture(500)).await;
    until(&*app.log, STREAM, "PaymentCaptured").await;
    let statuses: Vec<String> = ledger(&app).await.into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["done", "refused", "refused", "done"]);
}

#[tokio::test]
async fn a_capture_and_a_refund_can_be_refused_for_good() {
    let app = authorized("pm_capture_refused").await;
    ask(&app, "c", capture(500)).await;
    until(&*app.log, STREAM, "CaptureFailed").await;
    let events = app.log.read_stream(&STREAM.into(), 3, 10).await.unwrap();
    assert!(events[0].payload.contains(r#""retriable":false"#), "{}", events[0].payload);
    let app = authorized("pm_refund_fails").await;
    ask(&app, "c", capture(500)).await;
    until(&*app.log, STREAM, "PaymentCaptured").await;
    ask(&app, "r", refund(500)).await;
    until(&*app.log, STREAM, "RefundFailed").await;
}

#[tokio::test]
async fn an_intent_that_was_open_at_a_stop_is_carried_on_with_the_same_key() {
    let app = TestApp::impatient().await;
    ask(&app, "a", authorize("pm_timeout_then_ok")).await;
    let app = app.restart().await;
    until(&*app.log, STREAM, "PaymentAuthorized").await;
    assert!(no_intent_is_open(&app).await);
    assert_eq!(ledger(&app).await, [("authorize".into(), "done".into())]);
}

const OFTEN: Duration = Duration::from_millis(20);

fn void() -> VoidAuthorization {
    let (payment_id, order_id) = ids();
    VoidAuthorization { payment_id, order_id, amount: Some(gbp(500)), cancellation_id: None }
}

/// The call that lands at the provider though the log never made it.
async fn land(app: &TestApp) {
    let (payment_id, order_id) = ids();
    let settings = SimulatorSettings::default();
    let provider = SimulatedProvider::start(app.ledger.clone(), system(), settings);
    let call = ProviderCall {
        key: format!("{payment_id}/authorize/1"),
        payment_id,
        order_id,
        operation: Operation::Authorize,
        attempt: 1,
        amount: gbp(500),
        method: Some(PaymentMethod::parse("pm_ok").unwrap()),
        correlation_id: "o".to_owned(),
        reference: None,
        opened_at: None,
        occurred_at: system()(),
        traceparent: None,
    };
    provider.call(&call).await;
}

async fn until_no_intent_is_open(app: &TestApp) {
    let mut head = app.log.head();
    let ended = async {
        while !no_intent_is_open(app).await {
            let _moved = tokio::time::timeout(OFTEN, head.changed()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
}

#[tokio::test]
async fn an_authorization_that_lands_after_its_void_is_voided_too() {
    let app = TestApp::scanning(OFTEN, Duration::from_hours(24)).await;
    ask(&app, "v", void()).await;
    assert_eq!(types(&*app.log, STREAM).await, ["AuthorizationVoided"]);
    assert!(!no_intent_is_open(&app).await, "it is looked for");
    land(&app).await;
    until_no_intent_is_open(&app).await;
    let expected =
        ["AuthorizationVoided", "PaymentAuthorized", "VoidRequested", "AuthorizationVoided"];
    assert_eq!(types(&*app.log, STREAM).await, expected);
    let done = ["authorize", "void"].map(|op| (op.to_owned(), "done".to_owned()));
    assert_eq!(ledger(&app).await, done);
}

#[tokio::test]
async fn a_start_looks_for_what_landed_while_nobody_did() {
    let app = TestApp::start().await;
    ask(&app, "v", void()).await;
    land(&app).await;
    let app = app.restart().await;
    until(&*app.log, STREAM, "VoidRequested").await;
    ask(&app, "a", authorize("pm_ok")).await;
    until(&*app.log, STREAM, "PaymentDeclined").await;
}

#[tokio::test]
async fn a_void_is_looked_after_only_as_long_as_the_provider_honours_the_key() {
    let app = TestApp::scanning(OFTEN, Duration::ZERO).await;
    ask(&app, "v", void()).await;
    until_no_intent_is_open(&app).await;
    assert_eq!(types(&*app.log, STREAM).await, ["AuthorizationVoided"]);
    assert_eq!(ledger(&app).await, []);
}

//! Stripe's notices: believed only when they are signed, and then no more than a reason to look.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::body::Body;
use axum::http::Request;
use command_service::Provider;
use command_service::payments::simulator::{SimulatedProvider, SimulatorSettings};
use command_service::payments::stripe::webhook::Signatures;
use command_service::payments::{
    PaymentProvider, ProviderAnswer, ProviderCall, RunnerSettings, WhenAbsent,
};
use domain::payments::ProviderOutcome;
use futures::future::BoxFuture;
use service_kit::clock::system;
use tokio::sync::Notify;

use crate::payments::{STREAM, ask, authorize};
use crate::support::{Answered, TestApp, patient, types, until};

const SECRET: &str = "whsec_test";

fn signed(secret: &str, body: &str) -> String {
    let seconds = system()().timestamp();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let mut header = format!("t={seconds},v1=");
    for byte in tag.as_ref() {
        write!(header, "{byte:02x}").unwrap();
    }
    header
}

async fn send(app: &TestApp, secret: &str, body: &str) -> Answered {
    let request =
        Request::post("/payments/webhooks/stripe").header("content-type", "application/json");
    let request = request.header("stripe-signature", signed(secret, body));
    app.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn notice(kind: &str, payment: &str) -> String {
    format!(
        r#"{{"id":"evt_1","type":"{kind}","data":{{"object":{{"id":"pi_1","status":"succeeded",
        "metadata":{{"docket_payment_id":"{payment}"}}}}}}}}"#
    )
}

/// It does what it is asked, and does not say so at first.
struct Silent {
    provider: SimulatedProvider,
    spoke: AtomicBool,
}

impl PaymentProvider for Silent {
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(async move {
            let answer = self.provider.call(call).await;
            if self.spoke.swap(true, SeqCst) { answer } else { ProviderOutcome::Unknown.into() }
        })
    }

    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer> {
        self.provider.probe(call, when_absent)
    }
}

/// Whose next look at what is unknown is an hour away.
async fn waiting() -> TestApp {
    let hour = Duration::from_hours(1);
    let payments = RunnerSettings { probe_first: hour, probe_most: hour, ..patient() };
    let app = TestApp::asking_with(payments, |ledger| {
        let provider = SimulatedProvider::start(ledger, system(), SimulatorSettings::default());
        Provider::Other(Arc::new(Silent { provider, spoke: AtomicBool::new(false) }))
    });
    let app = app.await.taking_notices(Signatures::parse(SECRET));
    ask(&app, "a", authorize("pm_ok")).await;
    until(&*app.log, STREAM, "PaymentOutcomeUnknown").await;
    app
}

#[tokio::test]
async fn a_notice_of_a_payment_has_its_outcome_looked_up_at_once() {
    let app = waiting().await;
    for other in [
        notice("payment_intent.succeeded", "other-p1"),
        r#"{"type":"x","data":{"object":{}}}"#.to_owned(),
    ] {
        assert_eq!(send(&app, SECRET, &other).await.status, 200);
    }
    assert_eq!(types(&*app.log, STREAM).await.len(), 2, "no news of this payment");
    // Whatever it says: that it succeeded is found out of the provider's record.
    assert_eq!(send(&app, SECRET, &notice("payment_intent.canceled", "o-p1")).await.status, 200);
    until(&*app.log, STREAM, "PaymentAuthorized").await;
    assert_eq!(send(&app, SECRET, &notice("payment_intent.canceled", "o-p1")).await.status, 200);
    let expected = ["PaymentRequested", "PaymentOutcomeUnknown", "PaymentAuthorized"];
    assert_eq!(types(&*app.log, STREAM).await, expected);
}

#[tokio::test]
async fn a_notice_that_stripe_did_not_sign_is_refused_and_nothing_is_looked_up() {
    let app = waiting().await;
    let forged = send(&app, "whsec_guessed", &notice("payment_intent.succeeded", "o-p1")).await;
    forged.is_problem(401, "invalid_signature");
    let unsigned = app.post("/payments/webhooks/stripe", "k", notice("x", "o-p1")).await;
    unsigned.is_problem(401, "invalid_signature");
    send(&app, SECRET, "no JSON").await.is_problem(400, "invalid_body");
    assert_eq!(types(&*app.log, STREAM).await.len(), 2);
}

#[tokio::test]
async fn a_notice_that_is_too_large_is_a_problem_like_another() {
    let app = waiting().await;
    let large = format!("{{\"padding\":\"{}\"}}", "x".repeat(3 * 1024 * 1024));
    send(&app, SECRET, &large).await.is_problem(413, "body_too_large");
}

/// It answers when it is told to.
struct Held {
    provider: SimulatedProvider,
    answers: Arc<Notify>,
}

impl PaymentProvider for Held {
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(async move {
            let answer = self.provider.call(call).await;
            self.answers.notified().await;
            answer
        })
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
async fn a_notice_that_comes_before_the_answer_changes_nothing() {
    let answers = Arc::new(Notify::new());
    let told = Arc::clone(&answers);
    let app = TestApp::asking(|ledger| {
        let provider = SimulatedProvider::start(ledger, system(), SimulatorSettings::default());
        Provider::Other(Arc::new(Held { provider, answers: told }))
    });
    let app = app.await.taking_notices(Signatures::parse(SECRET));
    ask(&app, "a", authorize("pm_ok")).await;
    until(&*app.log, STREAM, "PaymentRequested").await;
    let early = notice("payment_intent.amount_capturable_updated", "o-p1");
    assert_eq!(send(&app, SECRET, &early).await.status, 200);
    assert_eq!(types(&*app.log, STREAM).await, ["PaymentRequested"]);
    answers.notify_one();
    until(&*app.log, STREAM, "PaymentAuthorized").await;
    assert_eq!(types(&*app.log, STREAM).await, ["PaymentRequested", "PaymentAuthorized"]);
}

#[tokio::test]
async fn without_a_secret_nobody_takes_notices() {
    let app = TestApp::start().await;
    send(&app, SECRET, &notice("x", "o-p1")).await.is_problem(404, "not_found");
}

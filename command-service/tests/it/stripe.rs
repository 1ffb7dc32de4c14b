//! Stripe as the provider, against localstripe: a server that nobody here wrote. What that one does not do is told by
//! recorded shapes (`stripe_shapes`).
//!
//! localstripe knows no `Idempotency-Key`, no filter by time, no capture in parts, and does not say what was captured.

use std::time::Duration;

use command_service::payments::stripe::{StripeProvider, StripeSettings};
use command_service::payments::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};
use domain::ids::{OrderId, PaymentId};
use domain::money::{Currency, Money};
use domain::payments::{Operation, ProviderOutcome};
use domain::text::{PaymentMethod, ProviderReference};
use service_kit::clock::system;
use service_kit::tls::{ClientTlsFiles, Trust, client_config};
use test_servers::{LocalStripe, localstripe};

pub(crate) const GOOD: &str = "pm_card_visa";
const DECLINED: &str = "pm_card_chargeCustomerFail";

pub(crate) fn at(url: &str) -> StripeProvider {
    let settings = StripeSettings {
        secret_key: "sk_test_secret".to_owned(),
        api_url: url.to_owned(),
        deadline: Duration::from_secs(30),
        tls: client_config(&ClientTlsFiles::default(), Trust::Public).unwrap(),
    };
    StripeProvider::new(settings, system()).unwrap()
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
        method: (operation == Operation::Authorize).then(|| PaymentMethod::parse(GOOD).unwrap()),
        reference: None,
        opened_at: Some(system()()),
        correlation_id: "o".to_owned(),
        occurred_at: system()(),
        traceparent: None,
    }
}

pub(crate) fn of(reference: &str, operation: Operation, attempt: u32, minor: i64) -> ProviderCall {
    let reference = Some(ProviderReference::parse(reference).unwrap());
    ProviderCall { reference, ..call(operation, attempt, minor) }
}

#[track_caller]
pub(crate) fn said(answer: ProviderAnswer) -> (ProviderOutcome, Option<i64>) {
    match answer {
        ProviderAnswer::Said { outcome, amount } => (outcome, amount.map(Money::minor)),
        ProviderAnswer::NotAsked { .. } => panic!("{answer:?}"),
    }
}

#[track_caller]
pub(crate) fn refused(answer: ProviderAnswer) -> (String, bool) {
    match said(answer).0 {
        ProviderOutcome::Refused { code, retriable } => (code.as_str().to_owned(), retriable),
        other => panic!("{other:?}"),
    }
}

async fn authorized(stripe: &StripeProvider, minor: i64) -> String {
    let (outcome, amount) = said(stripe.call(&call(Operation::Authorize, 1, minor)).await);
    let ProviderOutcome::Authorized { expires_at, multi_capture, reference } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((amount, multi_capture), (Some(minor), false));
    let holds = expires_at - system()();
    assert!(holds > chrono::TimeDelta::days(4) && holds < chrono::TimeDelta::days(8), "{holds}");
    reference.unwrap().as_str().to_owned()
}

async fn done(stripe: &StripeProvider, call: &ProviderCall) {
    assert_eq!(said(stripe.call(call).await).0, ProviderOutcome::Done, "{call:?}");
    let found = said(stripe.probe(call, WhenAbsent::LeaveOpen).await).0;
    assert_eq!(found, ProviderOutcome::Done, "{call:?}");
}

async fn absent(stripe: &StripeProvider, call: &ProviderCall) {
    let found = said(stripe.probe(call, WhenAbsent::LeaveOpen).await).0;
    assert_eq!(found, ProviderOutcome::NeverDone, "{call:?}");
}

fn start() -> Option<(LocalStripe, StripeProvider)> {
    let server = localstripe()?;
    let stripe = at(&server.url());
    Some((server, stripe))
}

#[tokio::test]
async fn money_is_held_taken_and_given_back_and_each_is_found_again() {
    let Some((_server, stripe)) = start() else { return };
    absent(&stripe, &call(Operation::Authorize, 1, 1_000)).await;
    let reference = authorized(&stripe, 1_000).await;
    let again = said(stripe.probe(&call(Operation::Authorize, 1, 1_000), WhenAbsent::Close).await);
    let ProviderOutcome::Authorized { reference: found, .. } = again.0 else { panic!("{again:?}") };
    assert_eq!(found.unwrap().as_str(), reference);
    let capture = of(&reference, Operation::Capture, 1, 1_000);
    absent(&stripe, &capture).await;
    done(&stripe, &capture).await;
    done(&stripe, &capture).await;
    let (first, second) =
        (of(&reference, Operation::Refund, 1, 300), of(&reference, Operation::Refund, 2, 300));
    absent(&stripe, &first).await;
    done(&stripe, &first).await;
    absent(&stripe, &second).await;
    done(&stripe, &second).await;
    // What was released with the capture needs no void.
    done(&stripe, &of(&reference, Operation::Void, 1, 1)).await;
}

#[tokio::test]
async fn a_part_of_what_is_held_is_noted_and_all_of_it_is_given_back() {
    let Some((_server, stripe)) = start() else { return };
    let reference = authorized(&stripe, 1_000).await;
    let part = of(&reference, Operation::Void, 1, 400);
    absent(&stripe, &part).await;
    done(&stripe, &part).await;
    let rest = of(&reference, Operation::Void, 2, 600);
    absent(&stripe, &rest).await;
    done(&stripe, &rest).await;
    let late = refused(stripe.call(&of(&reference, Operation::Capture, 1, 100)).await);
    assert_eq!(late, ("canceled".to_owned(), false));
}

#[tokio::test]
async fn a_part_of_what_is_held_is_captured_after_another_part_was_given_up() {
    let Some((_server, stripe)) = start() else { return };
    let reference = authorized(&stripe, 1_000).await;
    done(&stripe, &of(&reference, Operation::Void, 1, 400)).await;
    done(&stripe, &of(&reference, Operation::Capture, 1, 600)).await;
}

#[tokio::test]
async fn a_declined_card_holds_nothing_also_when_it_is_asked_about_later() {
    let Some((_server, stripe)) = start() else { return };
    let method = Some(PaymentMethod::parse(DECLINED).unwrap());
    let declined = ProviderCall { method, ..call(Operation::Authorize, 1, 1_000) };
    let code = ("card_declined".to_owned(), false);
    assert_eq!(refused(stripe.call(&declined).await), code);
    assert_eq!(refused(stripe.probe(&declined, WhenAbsent::LeaveOpen).await), code);
    let nobody = Some(PaymentMethod::parse("pm_nobody").unwrap());
    let unknown = ProviderCall { method: nobody, ..call(Operation::Authorize, 1, 1_000) };
    refused(stripe.call(&unknown).await);
}

#[tokio::test]
async fn a_key_is_closed_with_an_intent_that_holds_nothing_and_is_not_counted_as_a_payment() {
    let Some((_server, stripe)) = start() else { return };
    let lost = call(Operation::Authorize, 1, 1_000);
    let closed = said(stripe.probe(&lost, WhenAbsent::Close).await).0;
    assert_eq!(closed, ProviderOutcome::NeverDone);
    absent(&stripe, &lost).await;
    let now = system()();
    let hour = chrono::TimeDelta::hours(1);
    assert_eq!(stripe.payments(now - hour, now + hour).await.unwrap(), []);
    let reference = authorized(&stripe, 500).await;
    let [payment] = &stripe.payments(now - hour, now + hour).await.unwrap()[..] else {
        panic!("one payment")
    };
    assert_eq!((payment.reference.as_str(), payment.authorized.minor()), (reference.as_str(), 500));
    assert_eq!(payment.payment_id.as_deref(), Some("o-p1"));
    assert!(payment.holds && payment.captured.is_zero() && payment.refunded.is_zero());
}

#[tokio::test]
async fn a_payment_of_another_provider_is_refused_and_not_looked_for() {
    let stripe = at("http://127.0.0.1:9");
    for operation in [Operation::Capture, Operation::Void, Operation::Refund] {
        let code = refused(stripe.call(&call(operation, 1, 100)).await).0;
        assert_eq!(code, "payment_of_another_provider");
    }
}

//! A test per rule of payments, and law 2 under any sequence of commands and answers.

use proptest::prelude::*;

use super::fixtures::*;
use super::*;
use crate::event::Event;
use crate::ids::OrderId;
use crate::money::{Currency, Money};
use crate::refusal::Refusal;
use crate::spec::{given, given_nothing};
use crate::text::{ProviderReference, Reason};

fn authorize(minor: i64) -> AuthorizePayment {
    let (payment_id, order_id) = (payment_id(), order_id());
    AuthorizePayment { payment_id, order_id, amount: gbp(minor), method: method() }
}

fn void(minor: Option<i64>) -> VoidAuthorization {
    let (payment_id, order_id) = (payment_id(), order_id());
    VoidAuthorization { payment_id, order_id, amount: minor.map(gbp), cancellation_id: None }
}

fn refund(n: u32, minor: i64) -> RefundPayment {
    let (payment_id, order_id) = (payment_id(), order_id());
    RefundPayment { payment_id, order_id, return_id: return_id(n), amount: gbp(minor) }
}

fn declined(code: &'static str) -> PaymentDeclined {
    PaymentDeclined { payment_id: payment_id(), order_id: order_id(), code: Reason::code(code) }
}

fn voided(amount: Money) -> AuthorizationVoided {
    AuthorizationVoided {
        payment_id: payment_id(),
        order_id: order_id(),
        amount,
        cancellation_id: None,
    }
}

fn void_requested(minor: i64, attempt: u32) -> VoidRequested {
    let (payment_id, order_id) = (payment_id(), order_id());
    VoidRequested {
        payment_id,
        order_id,
        amount: gbp(minor),
        attempt,
        cancellation_id: None,
        reference: None,
    }
}

fn promise() -> ProviderOutcome {
    ProviderOutcome::Authorized { expires_at: expires_at(), multi_capture: true, reference: None }
}

#[test]
fn an_authorization_leaves_the_intent_and_then_the_outcome() {
    given_nothing()
        .when(authorize(1_000))
        .then([requested(1_000)])
        .when(record(Operation::Authorize, 1, promise()))
        .then([authorized(1_000).remove(1)])
        .when(authorize(1_000))
        .then_nothing();
}

#[test]
fn an_authorization_that_is_being_asked_for_is_waited_for() {
    given([requested(1_000)]).when(authorize(1_000)).then_busy();
}

#[test]
fn a_payment_of_other_details_is_not_authorized_again() {
    given(authorized(1_000))
        .when(authorize(999))
        .then_refused(&Refusal::PaymentExists { payment_id: payment_id() });
}

#[test]
fn a_declined_payment_stays_declined() {
    given([requested(1_000)])
        .when(record(Operation::Authorize, 1, refused("card_declined", false)))
        .then([declined("card_declined")])
        .when(authorize(1_000))
        .then([declined("card_declined")]);
}

#[test]
fn what_was_never_done_counts_as_failed() {
    given([requested(1_000)])
        .when(record(Operation::Authorize, 1, ProviderOutcome::NeverDone))
        .then([declined("payment_failed")]);
}

#[test]
fn an_unknown_outcome_is_said_once_and_settled_later() {
    let unknown = PaymentOutcomeUnknown {
        payment_id: payment_id(),
        order_id: order_id(),
        operation: Operation::Authorize,
        attempt: 1,
        found: None,
    };
    given([requested(1_000)])
        .when(record(Operation::Authorize, 1, ProviderOutcome::Unknown))
        .then([unknown])
        .when(record(Operation::Authorize, 1, ProviderOutcome::Unknown))
        .then_nothing()
        .when(record(Operation::Authorize, 1, promise()))
        .then([authorized(1_000).remove(1)]);
}

#[test]
fn another_amount_than_was_asked_is_said_once_and_neither_done_nor_failed() {
    let differs = || ProviderOutcome::Differs { found: gbp(900) };
    let unknown = PaymentOutcomeUnknown {
        payment_id: payment_id(),
        order_id: order_id(),
        operation: Operation::Authorize,
        attempt: 1,
        found: Some(gbp(900)),
    };
    given([requested(1_000)])
        .when(record(Operation::Authorize, 1, ProviderOutcome::Unknown))
        .after()
        .when(record(Operation::Authorize, 1, differs()))
        .then([unknown])
        .when(record(Operation::Authorize, 1, differs()))
        .then_nothing()
        .when(record(Operation::Authorize, 1, promise()))
        .then([authorized(1_000).remove(1)]);
}

#[test]
fn what_the_provider_calls_a_payment_is_said_with_whatever_is_asked_of_it() {
    let named = ProviderReference::parse("pi_1").unwrap();
    let held = ProviderOutcome::Authorized {
        expires_at: expires_at(),
        multi_capture: true,
        reference: Some(named.clone()),
    };
    let after = given([requested(1_000)]).when(record(Operation::Authorize, 1, held)).after();
    let after = after.when(capture(1, 400)).after();
    let after = after.when(record(Operation::Capture, 1, ProviderOutcome::Done)).after();
    let asked = VoidRequested { reference: Some(named), ..void_requested(600, 1) };
    after.when(void(None)).then([asked]);
}

#[test]
fn only_the_open_attempt_can_be_answered() {
    given(authorized(1_000))
        .and([capture_requested(1, 400, 1)])
        .when(record(Operation::Capture, 2, ProviderOutcome::Done))
        .then_nothing()
        .when(record(Operation::Void, 1, ProviderOutcome::Done))
        .then_nothing()
        .when(record(Operation::Capture, 1, ProviderOutcome::Done))
        .then([captured(1, 400, 1).remove(1)])
        .when(record(Operation::Capture, 1, ProviderOutcome::Done))
        .then_nothing();
}

#[test]
fn a_shipment_is_captured_once() {
    given(authorized(1_000))
        .when(capture(1, 400))
        .then([capture_requested(1, 400, 1)])
        .when(capture(2, 100))
        .then_busy()
        .when(record(Operation::Capture, 1, ProviderOutcome::Done))
        .then([captured(1, 400, 1).remove(1)])
        .when(capture(1, 400))
        .then_nothing()
        .when(capture(2, 100))
        .then([capture_requested(2, 100, 2)]);
}

#[test]
fn a_failed_capture_is_made_again_with_the_next_number() {
    for (outcome, code, retriable) in [
        (refused("try_again", true), "try_again", true),
        (refused("blocked", false), "blocked", false),
        (ProviderOutcome::NeverDone, "payment_failed", true),
    ] {
        let failed = CaptureFailed {
            payment_id: payment_id(),
            order_id: order_id(),
            shipment_id: shipment(1),
            code: Reason::code(code),
            retriable,
        };
        given(authorized(1_000))
            .and([capture_requested(1, 400, 1)])
            .when(record(Operation::Capture, 1, outcome))
            .then([failed])
            .when(capture(1, 400))
            .then([capture_requested(1, 400, 2)]);
    }
}

#[test]
fn no_more_is_captured_than_is_held() {
    given(authorized(1_000))
        .and(captured(1, 700, 1))
        .when(capture(2, 301))
        .then_refused(&Refusal::NotCovered { authorized: 300, needed: 301 });
}

#[test]
fn amounts_have_the_currency_of_the_payment() {
    let euros = Currency::parse("EUR").unwrap();
    let pounds = Currency::parse("GBP").unwrap();
    given(authorized(1_000))
        .when(CapturePayment { amount: Money::new(1, euros), ..capture(1, 1) })
        .then_refused(&Refusal::MixedCurrencies { expected: pounds, found: euros });
}

#[test]
fn a_payment_serves_only_its_own_order() {
    let other = OrderId::parse("other").unwrap();
    given(authorized(1_000))
        .when(CapturePayment { order_id: other, ..capture(1, 1) })
        .then_refused(&Refusal::PaymentNotFound { payment_id: payment_id() });
}

#[test]
fn a_void_before_the_authorization_leaves_a_tombstone() {
    given_nothing()
        .when(void(Some(1_000)))
        .then([voided(gbp(0))])
        .when(authorize(1_000))
        .then([declined("voided")]);
    given_nothing().when(void(None)).then([voided(Money::zero(Currency::NONE))]);
}

#[test]
fn a_void_waits_for_the_answer_that_is_open() {
    given([requested(1_000)]).when(void(None)).then_busy();
    given(authorized(1_000)).and([capture_requested(1, 400, 1)]).when(void(None)).then_busy();
}

#[test]
fn a_void_gives_back_no_more_than_is_still_held() {
    given(authorized(1_000))
        .and(captured(1, 700, 1))
        .when(void(Some(900)))
        .then([void_requested(300, 1)])
        .when(record(Operation::Void, 1, ProviderOutcome::Done))
        .then([voided(gbp(300))])
        .when(void(None))
        .then_nothing();
    given(authorized(1_000)).when(void(Some(400))).then([void_requested(400, 1)]);
}

#[test]
fn a_refused_void_is_made_again_with_the_next_number() {
    let refusal = VoidRefused {
        payment_id: payment_id(),
        order_id: order_id(),
        code: Reason::code("later"),
        retriable: true,
    };
    given(authorized(1_000))
        .and([Event::from(void_requested(1_000, 1))])
        .when(record(Operation::Void, 1, refused("later", true)))
        .then([refusal])
        .when(void(None))
        .then([void_requested(1_000, 2)]);
}

#[test]
fn a_return_is_refunded_once_and_never_more_than_was_captured() {
    let asked = RefundRequested {
        payment_id: payment_id(),
        order_id: order_id(),
        return_id: return_id(1),
        amount: gbp(600),
        attempt: 1,
        reference: None,
    };
    let done = PaymentRefunded {
        payment_id: payment_id(),
        order_id: order_id(),
        return_id: return_id(1),
        amount: gbp(600),
    };
    given(authorized(1_000))
        .and(captured(1, 700, 1))
        .when(refund(1, 600))
        .then([asked])
        .when(refund(2, 100))
        .then_busy()
        .when(record(Operation::Refund, 1, ProviderOutcome::Done))
        .then([done])
        .when(refund(1, 600))
        .then_nothing()
        .when(refund(2, 101))
        .then_refused(&Refusal::AmountExceeded {
            payment_id: payment_id(),
            requested: 101,
            allowed: 100,
        });
}

#[test]
fn a_refund_waits_for_an_open_capture() {
    given(authorized(1_000)).and([capture_requested(1, 400, 1)]).when(refund(1, 1)).then_busy();
}

#[test]
fn each_attempt_has_a_provider_key_of_its_own() {
    let mut events = authorized(1_000);
    events.extend(captured(1, 400, 1));
    events.push(capture_requested(2, 100, 2));
    let open = events.iter().fold(Payment::default(), fold).open_operation().cloned().unwrap();
    assert_eq!(open.provider_key(&payment_id()), "536365-p1/capture/2");
}

/// What is asked next of a payment, or answered.
fn next() -> impl Strategy<Value = crate::command::Command> {
    let amount = 1..600_i64;
    let outcome = prop_oneof![
        3 => Just(ProviderOutcome::Done),
        1 => Just(promise()),
        1 => Just(ProviderOutcome::Unknown),
        1 => Just(ProviderOutcome::NeverDone),
        1 => Just(refused("no", true)),
    ];
    let operation = prop::sample::select(vec![
        Operation::Authorize,
        Operation::Capture,
        Operation::Void,
        Operation::Refund,
    ]);
    prop_oneof![
        1 => Just(authorize(1_000).into()),
        2 => (1..5_u32, amount.clone()).prop_map(|(n, minor)| capture(n, minor).into()),
        1 => prop::option::of(amount.clone()).prop_map(|minor| void(minor).into()),
        1 => Just(expire().into()),
        2 => (1..5_u32, amount).prop_map(|(n, minor)| refund(n, minor).into()),
        6 => (operation, 1..6_u32, outcome)
            .prop_map(|(operation, attempt, outcome)| record(operation, attempt, outcome).into()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn law_2_holds_whatever_is_asked_and_answered(
        multi_capture in any::<bool>(),
        lives in 0..120_usize,
        commands in prop::collection::vec(next(), 0..120),
    ) {
        let start = if multi_capture { authorized } else { authorized_for_one_capture }(1_000);
        let mut payment = start.iter().fold(Payment::default(), fold);
        let mut world = given(start);
        let mut captures = 0;
        for (at, command) in commands.into_iter().enumerate() {
            if at == lives {
                world = world.at(expires_at());
            }
            let when = world.when(command);
            for event in when.events() {
                payment = fold(payment, event);
                prop_assert!(payment.authorized() >= payment.captured() + payment.voided());
                prop_assert!(payment.captured() >= payment.refunded() && payment.refunded() >= 0);
                captures += usize::from(event.event_type() == "PaymentCaptured");
                prop_assert!(multi_capture || captures <= 1, "captured {captures} times");
            }
            world = when.after();
        }
    }
}

fn fold(payment: Payment, event: &Event) -> Payment {
    let Event::Payment(event) = event else { panic!("not of a payment: {event:?}") };
    crate::decide::Aggregate::evolve(payment, event)
}

//! A test per rule of how long, and for how many captures, an authorization holds.

use super::fixtures::*;
use super::*;
use crate::ids::OrderId;
use crate::refusal::Refusal;
use crate::spec::given;
use crate::text::Reason;

#[test]
fn a_provider_that_captures_once_is_not_asked_for_a_second_shipment() {
    given(authorized_for_one_capture(1_000))
        .when(capture(1, 400))
        .then([capture_requested(1, 400, 1)])
        .when(record(Operation::Capture, 1, refused("try_again", true)))
        .then([CaptureFailed {
            payment_id: payment_id(),
            order_id: order_id(),
            shipment_id: shipment(1),
            code: Reason::code("try_again"),
            retriable: true,
        }])
        .when(capture(1, 400))
        .then([capture_requested(1, 400, 2)])
        .when(record(Operation::Capture, 2, ProviderOutcome::Done))
        .then([captured(1, 400, 2).remove(1)])
        .when(capture(1, 400))
        .then_nothing()
        .when(capture(2, 100))
        .then_refused(&Refusal::NotCovered { authorized: 0, needed: 100 });
}

#[test]
fn what_was_not_captured_in_time_expires_once() {
    given(authorized(1_000))
        .and(captured(1, 700, 1))
        .when(expire())
        .then_refused(&Refusal::WrongState { what: "authorization", state: "live" })
        .at(expires_at())
        .when(expire())
        .then([expired(300)])
        .when(expire())
        .then_nothing()
        .when(capture(2, 1))
        .then_refused(&Refusal::NotCovered { authorized: 0, needed: 1 });
}

#[test]
fn an_expiry_waits_for_the_answer_that_is_open() {
    given(authorized(1_000))
        .and([capture_requested(1, 400, 1)])
        .at(expires_at())
        .when(expire())
        .then_busy()
        .when(record(Operation::Capture, 1, ProviderOutcome::Done))
        .then([captured(1, 400, 1).remove(1)])
        .when(expire())
        .then([expired(600)]);
}

#[test]
fn a_payment_of_another_order_does_not_expire() {
    let other = OrderId::parse("other").unwrap();
    given(authorized(1_000))
        .at(expires_at())
        .when(ExpireAuthorization { order_id: other, ..expire() })
        .then_refused(&Refusal::PaymentNotFound { payment_id: payment_id() });
}

fn late() -> VoidLateAuthorization {
    VoidLateAuthorization {
        payment_id: payment_id(),
        order_id: order_id(),
        amount: gbp(1_000),
        expires_at: expires_at(),
        multi_capture: true,
        reference: None,
    }
}

fn given_up() -> AuthorizationVoided {
    AuthorizationVoided {
        payment_id: payment_id(),
        order_id: order_id(),
        amount: gbp(0),
        cancellation_id: None,
    }
}

fn asked_back(attempt: u32) -> VoidRequested {
    let (payment_id, order_id) = (payment_id(), order_id());
    VoidRequested {
        payment_id,
        order_id,
        amount: gbp(1_000),
        attempt,
        cancellation_id: None,
        reference: None,
    }
}

#[test]
fn what_lands_at_the_provider_after_the_void_is_taken_in_and_given_back() {
    let refusal = VoidRefused {
        payment_id: payment_id(),
        order_id: order_id(),
        code: Reason::code("later"),
        retriable: true,
    };
    let back = AuthorizationVoided { amount: gbp(1_000), ..given_up() };
    given([given_up()])
        .when(late())
        .then([authorized(1_000).remove(1), asked_back(1).into()])
        .when(late())
        .then_busy()
        .when(record(Operation::Void, 1, refused("later", true)))
        .then([refusal])
        .when(late())
        .then([asked_back(2)])
        .when(record(Operation::Void, 2, ProviderOutcome::Done))
        .then([back])
        .when(late())
        .then_nothing();
}

#[test]
fn only_what_was_given_up_is_late() {
    let missing = Refusal::PaymentNotFound { payment_id: payment_id() };
    given(authorized(1_000)).when(late()).then_refused(&missing);
    crate::spec::given_nothing().when(late()).then_refused(&missing);
}

//! Events of one payment, for the tests of this context.

use chrono::{DateTime, Duration, TimeZone, Utc};

use super::{
    AuthorizationExpired, CapturePayment, CaptureRequested, ExpireAuthorization, Operation,
    PaymentAuthorized, PaymentCaptured, PaymentRequested, ProviderOutcome, RecordPaymentOutcome,
};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId, ReturnId, ShipmentId};
use crate::money::{Currency, Money};
use crate::spec::given;
use crate::text::{PaymentMethod, Reason};

pub(super) fn order_id() -> OrderId {
    OrderId::parse("536365").unwrap()
}

pub(super) fn payment_id() -> PaymentId {
    PaymentId::nth(&order_id(), 1)
}

pub(super) fn shipment(n: u32) -> ShipmentId {
    ShipmentId::nth(&order_id(), n)
}

pub(super) fn return_id(n: u32) -> ReturnId {
    ReturnId::nth(&order_id(), n)
}

pub(super) fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").unwrap())
}

pub(super) fn method() -> PaymentMethod {
    PaymentMethod::parse("pm_ok").unwrap()
}

pub(super) fn expires_at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2010, 12, 1, 8, 26, 0).unwrap() + Duration::days(7)
}

pub(super) fn requested(minor: i64) -> Event {
    PaymentRequested {
        payment_id: payment_id(),
        order_id: order_id(),
        amount: gbp(minor),
        method: method(),
        attempt: 1,
    }
    .into()
}

pub(super) fn authorized(minor: i64) -> Vec<Event> {
    let authorized = PaymentAuthorized {
        payment_id: payment_id(),
        order_id: order_id(),
        amount: gbp(minor),
        expires_at: expires_at(),
        multi_capture: true,
        reference: None,
    };
    vec![requested(minor), authorized.into()]
}

pub(super) fn capture(n: u32, minor: i64) -> CapturePayment {
    let (payment_id, order_id, shipment_id) = (payment_id(), order_id(), shipment(n));
    CapturePayment { payment_id, order_id, shipment_id, amount: gbp(minor) }
}

pub(super) fn capture_requested(n: u32, minor: i64, attempt: u32) -> Event {
    let (payment_id, order_id, shipment_id) = (payment_id(), order_id(), shipment(n));
    CaptureRequested {
        payment_id,
        order_id,
        shipment_id,
        amount: gbp(minor),
        attempt,
        reference: None,
    }
    .into()
}

pub(super) fn captured(n: u32, minor: i64, attempt: u32) -> Vec<Event> {
    let (payment_id, order_id, shipment_id) = (payment_id(), order_id(), shipment(n));
    let captured = PaymentCaptured { payment_id, order_id, shipment_id, amount: gbp(minor) };
    vec![capture_requested(n, minor, attempt), captured.into()]
}

pub(super) fn record(
    operation: Operation,
    attempt: u32,
    outcome: ProviderOutcome,
) -> RecordPaymentOutcome {
    let (payment_id, order_id) = (payment_id(), order_id());
    RecordPaymentOutcome { payment_id, order_id, operation, attempt, outcome }
}

pub(super) fn refused(code: &'static str, retriable: bool) -> ProviderOutcome {
    ProviderOutcome::Refused { code: Reason::code(code), retriable }
}

pub(super) fn expire() -> ExpireAuthorization {
    ExpireAuthorization { payment_id: payment_id(), order_id: order_id() }
}

pub(super) fn expired(minor: i64) -> AuthorizationExpired {
    AuthorizationExpired { payment_id: payment_id(), order_id: order_id(), amount: gbp(minor) }
}

/// Held by a provider that captures only once.
pub(super) fn authorized_for_one_capture(minor: i64) -> Vec<Event> {
    let once = record(
        Operation::Authorize,
        1,
        ProviderOutcome::Authorized {
            expires_at: expires_at(),
            multi_capture: false,
            reference: None,
        },
    );
    let mut events = vec![requested(minor)];
    events.extend_from_slice(given([requested(minor)]).when(once).events());
    events
}

//! A test per way in which log and record may differ.

use domain::decide::Aggregate as _;
use domain::ids::{OrderId, PaymentId, ShipmentId};
use domain::money::{Currency, Money};
use domain::payments::{
    AuthorizationVoided, PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentEvent,
    PaymentRequested,
};
use domain::text::{PaymentMethod, Reason};

use super::super::period::moment;
use super::*;

fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").unwrap())
}

fn ids() -> (PaymentId, OrderId) {
    let order_id = OrderId::parse("o").unwrap();
    (PaymentId::nth(&order_id, 1), order_id)
}

fn requested() -> PaymentEvent {
    let ((payment_id, order_id), method) = (ids(), PaymentMethod::parse("pm_ok").unwrap());
    let amount = gbp(1_000);
    PaymentEvent::PaymentRequested(PaymentRequested {
        payment_id,
        order_id,
        amount,
        method,
        attempt: 1,
    })
}

fn authorized() -> PaymentEvent {
    let (payment_id, order_id) = ids();
    PaymentEvent::PaymentAuthorized(PaymentAuthorized {
        payment_id,
        order_id,
        amount: gbp(1_000),
        expires_at: noon(),
        multi_capture: true,
        reference: None,
    })
}

fn captured(minor: i64) -> PaymentEvent {
    let (payment_id, order_id) = ids();
    let shipment_id = ShipmentId::nth(&order_id, 1);
    let amount = gbp(minor);
    PaymentEvent::PaymentCaptured(PaymentCaptured { payment_id, order_id, shipment_id, amount })
}

fn voided(minor: i64) -> PaymentEvent {
    let ((payment_id, order_id), cancellation_id) = (ids(), None);
    let amount = gbp(minor);
    PaymentEvent::AuthorizationVoided(AuthorizationVoided {
        payment_id,
        order_id,
        amount,
        cancellation_id,
    })
}

fn declined() -> PaymentEvent {
    let ((payment_id, order_id), code) = (ids(), Reason::code("declined"));
    PaymentEvent::PaymentDeclined(PaymentDeclined { payment_id, order_id, code })
}

fn noon() -> DateTime<Utc> {
    moment("2026-11-29T12:00:00Z").unwrap()
}

fn day() -> Period {
    let [from, to] = ["2026-11-29", "2026-11-30"].map(|day| moment(day).unwrap());
    Period { from, to }
}

fn log(events: &[PaymentEvent]) -> BTreeMap<String, Logged> {
    let payment = events.iter().fold(Payment::default(), Payment::evolve);
    BTreeMap::from([("o-p1".to_owned(), Logged { payment, begun: noon(), changed: noon() })])
}

fn record(authorized: i64, captured: i64, holds: bool) -> Recorded {
    Recorded {
        payment_id: Some("o-p1".to_owned()),
        reference: Some("pi_1".to_owned()),
        created: noon(),
        amounts: Amounts { currency: gbp(0).currency(), authorized, captured, refunded: 0 },
        holds,
    }
}

fn kinds(events: &[PaymentEvent], recorded: &[Recorded]) -> Vec<Kind> {
    let came = compare(&log(events), recorded, day(), day().to);
    came.differences.iter().map(|difference| difference.kind).collect()
}

#[test]
fn what_agrees_is_no_difference() {
    let held = [requested(), authorized()];
    assert_eq!(kinds(&held, &[record(1_000, 0, true)]), []);
    let taken = [requested(), authorized(), captured(600), voided(400)];
    assert_eq!(kinds(&taken, &[record(1_000, 600, false)]), []);
    assert_eq!(kinds(&[requested(), declined()], &[record(0, 0, false)]), []);
    assert_eq!(kinds(&[requested(), declined()], &[]), []);
    assert_eq!(kinds(&[voided(0)], &[]), [], "given up before anything was asked for");
}

#[test]
fn what_only_one_of_them_has_is_said() {
    assert_eq!(kinds(&[requested(), authorized()], &[]), [Kind::MissingAtProvider]);
    let unknown = Recorded { payment_id: Some("other".into()), ..record(500, 0, true) };
    let came = compare(&BTreeMap::new(), &[unknown], day(), day().to);
    assert_eq!(came.differences[0].kind, Kind::MissingInLog);
    let declined_there = Recorded { payment_id: Some("other".into()), ..record(0, 0, false) };
    assert_eq!(compare(&BTreeMap::new(), &[declined_there], day(), day().to).differences, []);
    assert_eq!(kinds(&[voided(0)], &[record(1_000, 0, true)]), [Kind::MissingInLog]);
}

#[test]
fn other_amounts_and_money_that_one_of_them_does_not_hold_are_said() {
    let held = [requested(), authorized()];
    assert_eq!(kinds(&held, &[record(1_000, 1, true)]), [Kind::AmountsDiffer]);
    assert_eq!(kinds(&held, &[record(999, 0, true)]), [Kind::AmountsDiffer]);
    assert_eq!(kinds(&[requested(), declined()], &[record(1_000, 0, true)]), [Kind::AmountsDiffer]);
    assert_eq!(kinds(&held, &[record(1_000, 0, false)]), [Kind::NotHeld]);
    let given_back = [requested(), authorized(), voided(1_000)];
    assert_eq!(kinds(&given_back, &[record(1_000, 0, true)]), [Kind::StillHeld]);
}

#[test]
fn what_is_under_way_or_of_another_time_is_not_judged() {
    let came = compare(&log(&[requested()]), &[record(1_000, 0, true)], day(), day().to);
    assert_eq!((came.differences, came.under_way), (vec![], vec!["o-p1".to_owned()]));
    let changed_since = compare(&log(&[requested(), authorized()]), &[], day(), noon());
    assert_eq!(changed_since.under_way.len(), 1);
    let [from, to] = ["2026-11-27", "2026-11-28"].map(|day| moment(day).unwrap());
    let earlier = Period { from, to };
    assert_eq!(compare(&log(&[requested(), authorized()]), &[], earlier, to), Compared::default());
    let of_others = Recorded { payment_id: None, ..record(1, 1, false) };
    assert_eq!(compare(&BTreeMap::new(), &[of_others], day(), day().to).of_others, 1);
}

//! A test per rule of shipments.

use super::*;
use crate::event::Event;
use crate::ids::CancellationId;
use crate::orders::fixtures::{
    TOTAL, authorized, captured, confirmed_order, expires_at, of, order_id, payment_id, placed,
    shipment_id,
};
use crate::orders::{
    HoldReleased, LineQuantity, OrderHeld, OrderPlaced, PaymentReplaced, PlacedLine,
};
use crate::payments::{PaymentAuthorized, PaymentEvent};
use crate::refusal::Refusal;
use crate::spec::{Given, given, given_nothing};
use crate::text::{Label, Reason};

fn parcel_lines(lines: &[LineQuantity]) -> Vec<ShipmentLine> {
    let skus = placed().lines;
    let at = |line: &LineQuantity| usize::try_from(line.line).unwrap() - 1;
    let line = |one: &LineQuantity| ShipmentLine {
        line: one.line,
        sku: skus[at(one)].sku.clone(),
        quantity: one.quantity,
    };
    lines.iter().map(line).collect()
}

fn created(nth: u32, lines: &[LineQuantity]) -> ShipmentCreated {
    let (shipment_id, order_id) = (shipment_id(nth), order_id());
    ShipmentCreated { shipment_id, order_id, lines: parcel_lines(lines) }
}

fn create(lines: &[LineQuantity]) -> CreateShipment {
    let (shipment_id, order_id) = (shipment_id(1), order_id());
    CreateShipment { shipment_id, order_id, lines: parcel_lines(lines) }
}

fn all() -> [LineQuantity; 3] {
    [of(1, 6), of(2, 4), of(3, 1)]
}

fn ship(nth: u32, lines: Option<&[LineQuantity]>) -> MarkShipped {
    MarkShipped {
        shipment_id: shipment_id(nth),
        carrier: Label::parse("Post").unwrap(),
        tracking: Label::parse("T1").unwrap(),
        lines: lines.map(<[LineQuantity]>::to_vec),
    }
}

fn shipped(nth: u32, lines: &[LineQuantity]) -> ShipmentShipped {
    let MarkShipped { shipment_id, carrier, tracking, .. } = ship(nth, None);
    let (order_id, lines) = (order_id(), parcel_lines(lines));
    ShipmentShipped { shipment_id, order_id, carrier, tracking, lines }
}

fn split(nth: u32, into: u32, moved: &[LineQuantity]) -> ShipmentSplit {
    ShipmentSplit {
        shipment_id: shipment_id(nth),
        order_id: order_id(),
        remainder_id: shipment_id(into),
        moved: moved.to_vec(),
    }
}

fn deliver(nth: u32) -> MarkDelivered {
    MarkDelivered { shipment_id: shipment_id(nth) }
}

fn take_out(nth: u32, cancellation: u32, lines: &[LineQuantity]) -> CancelShipment {
    CancelShipment {
        shipment_id: shipment_id(nth),
        order_id: order_id(),
        cancellation_id: CancellationId::nth(&order_id(), cancellation),
        lines: lines.to_vec(),
    }
}

fn taken_out(
    nth: u32,
    cancellation: u32,
    lines: &[LineQuantity],
    whole: bool,
) -> ShipmentCancelled {
    let CancelShipment { shipment_id, order_id, cancellation_id, lines } =
        take_out(nth, cancellation, lines);
    ShipmentCancelled { shipment_id, order_id, cancellation_id, lines, whole }
}

fn too_late(nth: u32, cancellation: u32) -> ShipmentCancellationRefused {
    let CancelShipment { shipment_id, order_id, cancellation_id, .. } =
        take_out(nth, cancellation, &[]);
    let code = Reason::code("already_shipped");
    ShipmentCancellationRefused { shipment_id, order_id, cancellation_id, code }
}

fn wrong_state(state: &'static str) -> Refusal {
    Refusal::WrongState { what: "shipment", state }
}

/// A confirmed order whose parcel is to be packed.
fn packed() -> Given {
    given(confirmed_order()).and([created(1, &all())])
}

#[test]
fn a_shipment_is_created_once() {
    let other = Refusal::ShipmentExists { shipment_id: shipment_id(1) };
    given_nothing()
        .when(create(&all()))
        .then([created(1, &all())])
        .when(create(&all()))
        .then_nothing()
        .when(create(&[of(1, 1)]))
        .then_refused(&other);
    given_nothing().when(create(&[])).then_refused(&Refusal::NoLines {});
}

#[test]
fn a_parcel_leaves_once() {
    let otherwise = MarkShipped { tracking: Label::parse("T2").unwrap(), ..ship(1, None) };
    let gone = packed().when(ship(1, None)).then([shipped(1, &all())]);
    for same in [ship(1, None), ship(1, Some(&[of(3, 1), of(2, 4), of(1, 6)]))] {
        gone.clone().when(same).then_nothing();
    }
    for other in [otherwise, ship(1, Some(&[of(1, 6)])), ship(1, Some(&[]))] {
        gone.clone().when(other).then_refused(&wrong_state("shipped"));
    }
}

#[test]
fn a_parcel_that_nobody_packed_does_not_leave() {
    let missing = Refusal::ShipmentNotFound { shipment_id: shipment_id(9) };
    packed().when(ship(9, None)).then_refused(&missing).when(deliver(9)).then_refused(&missing);
}

#[test]
fn what_is_left_over_moves_to_the_next_free_shipment() {
    packed()
        .when(ship(1, Some(&[of(1, 2), of(3, 1)])))
        .then([
            Event::from(split(1, 2, &[of(1, 4), of(2, 4)])),
            created(2, &[of(1, 4), of(2, 4)]).into(),
            shipped(1, &[of(1, 2), of(3, 1)]).into(),
        ])
        .when(ship(2, Some(&[of(2, 1)])))
        .then([
            Event::from(split(2, 3, &[of(1, 4), of(2, 3)])),
            created(3, &[of(1, 4), of(2, 3)]).into(),
            shipped(2, &[of(2, 1)]).into(),
        ]);
}

#[test]
fn a_number_is_not_given_twice_after_a_parcel_was_cancelled() {
    packed()
        .and([Event::from(taken_out(1, 1, &all(), true)), created(2, &all()).into()])
        .when(ship(2, Some(&[of(1, 6)])))
        .then([
            Event::from(split(2, 3, &[of(2, 4), of(3, 1)])),
            created(3, &[of(2, 4), of(3, 1)]).into(),
            shipped(2, &[of(1, 6)]).into(),
        ]);
}

#[test]
fn all_lines_named_is_the_whole_parcel() {
    packed().when(ship(1, Some(&all()))).then([shipped(1, &all())]);
}

#[test]
fn no_more_leaves_than_is_in_the_parcel() {
    let too_many = |requested| Refusal::QuantityExceeded {
        what: "shipment `536365-s1`".to_owned(),
        requested,
        allowed: 11,
    };
    packed()
        .when(ship(1, Some(&[of(1, 7)])))
        .then_refused(&too_many(7))
        .when(ship(1, Some(&[of(1, 6), of(1, 1)])))
        .then_refused(&too_many(7))
        .when(ship(1, Some(&[of(4, 1)])))
        .then_refused(&too_many(1))
        .when(ship(1, Some(&[])))
        .then_refused(&Refusal::NoLines {});
}

#[test]
fn a_held_order_ships_nothing() {
    packed()
        .and([OrderHeld { order_id: order_id(), reason: None }])
        .when(ship(1, None))
        .then_refused(&Refusal::OnHold { order_id: order_id() })
        .and([HoldReleased { order_id: order_id(), reason: None }])
        .when(ship(1, None))
        .then([shipped(1, &all())]);
}

#[test]
fn money_that_is_not_held_any_more_ships_nothing() {
    let expired = Refusal::AuthorizationExpired { payment_id: payment_id(1) };
    packed().at(expires_at()).when(ship(1, None)).then_refused(&expired);
    let mut short = vec![Event::from(placed())];
    short.extend(authorized(1, 100));
    short.push(crate::orders::fixtures::confirmed().into());
    given(short).and([created(1, &all())]).when(ship(1, None)).then_refused(&expired);
}

/// A confirmed order whose provider captures only once, and whose parcel is to be packed.
fn packed_for_one_capture() -> Given {
    given(confirmed_order().into_iter().map(once)).and([created(1, &all())])
}

/// The same, but an authorization is of a provider that captures only once.
fn once(event: Event) -> Event {
    if let Event::Payment(PaymentEvent::PaymentAuthorized(held)) = event {
        PaymentAuthorized { multi_capture: false, ..held }.into()
    } else {
        event
    }
}

#[test]
fn a_provider_that_captures_once_covers_one_parcel() {
    let taken = Refusal::AuthorizationExpired { payment_id: payment_id(1) };
    let rest = [of(2, 4), of(3, 1)];
    packed_for_one_capture()
        .when(ship(1, Some(&[of(1, 6)])))
        .then([
            Event::from(split(1, 2, &rest)),
            created(2, &rest).into(),
            shipped(1, &[of(1, 6)]).into(),
        ])
        .when(ship(2, None))
        .then_refused(&taken)
        .and(captured(1, 6 * 255))
        .when(ship(2, None))
        .then_refused(&taken)
        .and(authorized(2, TOTAL - 6 * 255))
        .and([PaymentReplaced { order_id: order_id(), payment_id: payment_id(2) }])
        .when(ship(2, None))
        .then([shipped(2, &rest)]);
}

#[test]
fn a_parcel_that_cost_nothing_takes_no_capture() {
    let free = |line: PlacedLine| {
        let unit_price = if line.line == 1 { 0 } else { line.unit_price };
        PlacedLine { unit_price, ..line }
    };
    let lines = placed().lines.into_iter().map(free).collect();
    let mut events: Vec<Event> = vec![OrderPlaced { lines, ..placed() }.into()];
    let packed = confirmed_order().into_iter().skip(1);
    events.extend(packed.map(once));
    given(events)
        .and([created(1, &[of(1, 6)]), created(2, &[of(2, 4)])])
        .and([shipped(1, &[of(1, 6)])])
        .when(ship(2, None))
        .then([shipped(2, &[of(2, 4)])]);
}

#[test]
fn a_parcel_that_costs_nothing_needs_no_money() {
    let free = |line: PlacedLine| PlacedLine { unit_price: 0, ..line };
    let lines = placed().lines.into_iter().map(free).collect();
    given([OrderPlaced { lines, total: 0, ..placed() }])
        .and([created(1, &all())])
        .when(ship(1, None))
        .then([shipped(1, &all())]);
}

#[test]
fn a_parcel_arrives_once_and_after_it_left() {
    let arrived = ShipmentDelivered {
        shipment_id: shipment_id(1),
        order_id: order_id(),
        lines: parcel_lines(&all()),
    };
    packed()
        .when(deliver(1))
        .then_refused(&wrong_state("pending"))
        .and([shipped(1, &all())])
        .when(deliver(1))
        .then([arrived])
        .when(deliver(1))
        .then_nothing();
}

#[test]
fn lines_are_taken_out_of_a_parcel_once() {
    packed()
        .when(take_out(1, 1, &[of(1, 2)]))
        .then([taken_out(1, 1, &[of(1, 2)], false)])
        .when(take_out(1, 1, &[of(1, 2)]))
        .then_nothing()
        .when(ship(1, None))
        .then([shipped(1, &[of(1, 4), of(2, 4), of(3, 1)])]);
}

#[test]
fn a_parcel_without_lines_is_cancelled() {
    packed()
        .when(take_out(1, 1, &all()))
        .then([taken_out(1, 1, &all(), true)])
        .when(ship(1, None))
        .then_refused(&wrong_state("cancelled"));
}

#[test]
fn what_left_or_is_not_in_it_can_not_be_taken_out() {
    packed().when(take_out(1, 1, &[of(1, 7)])).then([too_late(1, 1)]);
    packed().and([shipped(1, &all())]).when(take_out(1, 1, &[of(1, 1)])).then([too_late(1, 1)]);
    packed().when(take_out(2, 1, &[of(1, 1)])).then([too_late(2, 1)]);
}

#[test]
fn a_parcel_of_another_order_is_left_alone() {
    let other = crate::ids::OrderId::parse("other").unwrap();
    let command = CancelShipment { order_id: other.clone(), ..take_out(1, 1, &[of(1, 1)]) };
    packed()
        .when(command)
        .then([ShipmentCancellationRefused { order_id: other, ..too_late(1, 1) }]);
}

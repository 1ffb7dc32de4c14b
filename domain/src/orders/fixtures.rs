//! Orders for tests. The order has three lines: 6 of `A` at 2.55, 4 of `B` at 3.39, 1 of `POST` (not stocked) at 18.00.

use chrono::{DateTime, TimeZone, Utc};

use super::{
    CancellationRequested, DraftCreated, LineAdded, LineQuantity, LinesDelivered, LinesShipped,
    NewOrder, Order, OrderConfirmed, OrderPlaced, PlacedLine, ShippingAddress, WantedLine,
};
use crate::catalog::fixtures::{gbp, product, service, sku};
use crate::customers::fixtures::{customer_id, registered};
use crate::decide::Aggregate;
use crate::event::Event;
use crate::ids::{CancellationId, CustomerId, PaymentId, ReturnId, ShipmentId};
pub(crate) use crate::inventory::fixtures::{order_id, units};
use crate::money::{Currency, Money};
use crate::payments::{
    CaptureRequested, PaymentAuthorized, PaymentCaptured, PaymentRequested, PaymentSettledByHand,
    Settlement, Unmet,
};
use crate::shipping::{ShipmentLine, ShipmentShipped};
use crate::spec::{Given, given};
use crate::text::{Country, Label, PaymentMethod, Reason};

pub(crate) const TOTAL: i64 = 6 * 255 + 4 * 339 + 1_800;

pub(crate) fn currency() -> Currency {
    gbp(0).currency()
}

pub(crate) fn method() -> PaymentMethod {
    PaymentMethod::parse("pm_ok").unwrap()
}

pub(crate) fn address() -> ShippingAddress {
    ShippingAddress { country: Country::parse("United Kingdom").unwrap(), details: None }
}

pub(crate) fn payment_id(nth: u32) -> PaymentId {
    PaymentId::nth(&order_id(), nth)
}

pub(crate) fn shipment_id(nth: u32) -> ShipmentId {
    ShipmentId::nth(&order_id(), nth)
}

pub(crate) fn cancellation_id(nth: u32) -> CancellationId {
    CancellationId::nth(&order_id(), nth)
}

pub(crate) fn return_id(nth: u32) -> ReturnId {
    ReturnId::nth(&order_id(), nth)
}

pub(crate) fn wanted(code: &str, quantity: u32, unit_price: Option<Money>) -> WantedLine {
    WantedLine { sku: sku(code), quantity: units(quantity), unit_price }
}

pub(crate) fn of(line: u32, quantity: u32) -> LineQuantity {
    LineQuantity { line, quantity: units(quantity) }
}

/// The customer and the products that the order needs.
pub(crate) fn shop() -> Vec<Event> {
    vec![
        registered().into(),
        product("A", gbp(255)).into(),
        product("B", gbp(339)).into(),
        service("POST", gbp(1_800)).into(),
    ]
}

pub(crate) fn wanted_order(lines: Vec<WantedLine>) -> NewOrder {
    NewOrder {
        order_id: order_id(),
        customer_id: Some(customer_id()),
        currency: currency(),
        lines,
        payment_method: method(),
        shipping_address: address(),
        reference: None,
    }
}

pub(crate) fn placed() -> OrderPlaced {
    let line = |line, code, quantity, unit_price, stocked| PlacedLine {
        line,
        sku: sku(code),
        quantity: units(quantity),
        unit_price,
        stocked,
    };
    OrderPlaced {
        order_id: order_id(),
        customer_id: Some(customer_id()),
        currency: currency(),
        lines: vec![
            line(1, "A", 6, 255, true),
            line(2, "B", 4, 339, true),
            line(3, "POST", 1, 1_800, false),
        ],
        total: TOTAL,
        payment_method: method(),
        shipping_address: address(),
        reference: None,
        reason: None,
    }
}

pub(crate) fn confirmed() -> OrderConfirmed {
    OrderConfirmed { order_id: order_id(), payment_id: Some(payment_id(1)) }
}

/// Long after every test.
pub(crate) fn expires_at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2010, 12, 8, 8, 26, 0).unwrap()
}

pub(crate) fn requested(nth: u32, amount: i64) -> PaymentRequested {
    let (payment_id, amount) = (payment_id(nth), gbp(amount));
    PaymentRequested { payment_id, order_id: order_id(), amount, method: method(), attempt: 1 }
}

pub(crate) fn authorized(nth: u32, amount: i64) -> Vec<Event> {
    let held = PaymentAuthorized {
        payment_id: payment_id(nth),
        order_id: order_id(),
        amount: gbp(amount),
        expires_at: expires_at(),
        multi_capture: true,
        reference: None,
    };
    vec![requested(nth, amount).into(), held.into()]
}

/// The amount of a shipment is captured.
pub(crate) fn captured(shipment: u32, amount: i64) -> Vec<Event> {
    let asked = CaptureRequested {
        payment_id: payment_id(1),
        order_id: order_id(),
        shipment_id: shipment_id(shipment),
        amount: gbp(amount),
        attempt: shipment,
        reference: None,
    };
    let done = PaymentCaptured {
        payment_id: payment_id(1),
        order_id: order_id(),
        shipment_id: shipment_id(shipment),
        amount: gbp(amount),
    };
    vec![asked.into(), done.into()]
}

/// What a shipment cost was settled by hand, because the provider did not take it.
pub(crate) fn settled_by_hand(shipment: u32, amount: i64) -> PaymentSettledByHand {
    PaymentSettledByHand {
        payment_id: payment_id(1),
        order_id: order_id(),
        unmet: Unmet::Capture { shipment_id: shipment_id(shipment) },
        amount: gbp(amount),
        settlement: Settlement::Elsewhere,
        reason: Reason::code("bank transfer"),
    }
}

pub(crate) fn shipped(nth: u32, lines: &[LineQuantity]) -> LinesShipped {
    LinesShipped { order_id: order_id(), shipment_id: shipment_id(nth), lines: lines.to_vec() }
}

pub(crate) fn delivered(nth: u32, lines: &[LineQuantity]) -> LinesDelivered {
    LinesDelivered { order_id: order_id(), shipment_id: shipment_id(nth), lines: lines.to_vec() }
}

/// A parcel that left the house, with so many units of these lines; its order has not heard of it.
pub(crate) fn parcel(nth: u32, lines: &[(u32, &str, u32)]) -> ShipmentShipped {
    let lines = lines.iter().map(|&(line, code, n)| ShipmentLine {
        line,
        sku: sku(code),
        quantity: units(n),
    });
    ShipmentShipped {
        shipment_id: shipment_id(nth),
        order_id: order_id(),
        carrier: Label::parse("Royal Mail").unwrap(),
        tracking: Label::parse("RM1").unwrap(),
        lines: lines.collect(),
    }
}

/// A cancellation; `None` before the pivot.
pub(crate) fn cancellation(nth: Option<u32>, lines: &[LineQuantity]) -> CancellationRequested {
    CancellationRequested {
        order_id: order_id(),
        cancellation_id: nth.map(cancellation_id),
        lines: lines.to_vec(),
        reason: None,
    }
}

pub(crate) fn every_unit() -> [LineQuantity; 3] {
    [of(1, 6), of(2, 4), of(3, 1)]
}

/// A confirmed order with its payment.
pub(crate) fn confirmed_order() -> Vec<Event> {
    let mut events = vec![placed().into()];
    events.extend(authorized(1, TOTAL));
    events.push(confirmed().into());
    events
}

/// Everything shipped, captured and delivered in one shipment.
pub(crate) fn delivered_order() -> Vec<Event> {
    let mut events = confirmed_order();
    events.push(shipped(1, &every_unit()).into());
    events.extend(captured(1, TOTAL));
    events.push(delivered(1, &every_unit()).into());
    events
}

pub(crate) fn draft(customer_id: Option<CustomerId>) -> DraftCreated {
    DraftCreated {
        order_id: order_id(),
        customer_id,
        currency: currency(),
        payment_method: method(),
        shipping_address: address(),
        reference: None,
    }
}

/// An empty cart of the customer, and the shop.
pub(crate) fn cart() -> Given {
    given(shop()).and([draft(Some(customer_id()))])
}

pub(crate) fn added(line: u32, code: &str, quantity: u32) -> LineAdded {
    LineAdded::new(order_id(), line, &wanted(code, quantity, None))
}

/// The state after these events.
pub(crate) fn order_after(events: impl IntoIterator<Item = Event>) -> Order {
    let mut order = Order::default();
    for event in events {
        if let Event::Order(event) = event {
            order = order.evolve(&event);
        }
    }
    order
}

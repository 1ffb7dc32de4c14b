//! From a stored event to a public one. Pure.
//!
//! **Invariant:** every stored event has an arm, none by `_`: a new one breaks the build until somebody says whether the outside
//! world is told.

#![deny(clippy::wildcard_enum_match_arm)]

use domain::customers::CustomerEvent;
use domain::event::Event;
use domain::money::Money;
use domain::orders::{LineQuantity, OrderEvent, PlacedLine};
use domain::payments::PaymentEvent;
use domain::shipping::{ShipmentEvent, ShipmentLine};

use super::event::PublicEvent;
use super::order_facts::OrderFacts;
use super::payloads::{
    Amount, CustomerErased, LinesCancelled, OrderConfirmed, OrderLine, OrderOnly, OrderPlaced,
    OrderRejected, ParcelDelivered, ParcelLine, ParcelShipped, PaymentAuthorized, PaymentCaptured,
    PaymentDeclined, PaymentRefunded, ReturnReceived, ReturnRequested, Units,
};

/// Stored types that the outside world may be told of: the others need not even be read.
const PUBLISHED: [&str; 18] = [
    "OrderPlaced",
    "OrderConfirmed",
    "OrderRejected",
    "OrderHeld",
    "HoldReleased",
    "LinesCancelled",
    "OrderCancelled",
    "OrderCompleted",
    "OrderErased",
    "ReturnRequested",
    "ReturnReceived",
    "ShipmentShipped",
    "ShipmentDelivered",
    "PaymentAuthorized",
    "PaymentDeclined",
    "PaymentCaptured",
    "PaymentRefunded",
    "CustomerErased",
];

/// Whether the outside world may be told of events of this stored type.
pub fn is_published(event_type: &str) -> bool {
    PUBLISHED.contains(&event_type)
}

/// Stored types without which a customer can't be told what happens: the others need not be read where nobody else is told.
const NOTICED: [&str; 9] = [
    "OrderPlaced",
    "OrderConfirmed",
    "OrderRejected",
    "LinesCancelled",
    "OrderCancelled",
    "ShipmentShipped",
    "ShipmentDelivered",
    "PaymentRefunded",
    "CustomerErased",
];

/// Whether notices to customers are made of events of this stored type.
pub(crate) fn is_noticed(event_type: &str) -> bool {
    NOTICED.contains(&event_type)
}

/// What the outside world is told of a stored event. `order` is what its order was placed with: of one that was never placed, as
/// a cart, nobody is told.
pub fn publish(event: &Event, order: Option<&OrderFacts>) -> Option<PublicEvent> {
    match event {
        Event::Order(event) => of_order(event, order?),
        Event::Payment(event) => of_payment(event, order?),
        Event::Shipment(event) => of_shipment(event, order?),
        Event::Customer(event) => of_customer(event),
        // The catalog is asked for, stock is nobody else's business, and the rest is how the platform works.
        Event::Product(_)
        | Event::Stock(_)
        | Event::Reservation(_)
        | Event::Command(_)
        | Event::Operator(_) => None,
    }
}

fn of_order(event: &OrderEvent, order: &OrderFacts) -> Option<PublicEvent> {
    let head = order.head(event.order());
    let only = |head| OrderOnly { order: head };
    Some(match event {
        OrderEvent::OrderPlaced(event) => PublicEvent::OrderPlaced(OrderPlaced {
            order: head,
            total: order.total(),
            lines: event.lines.iter().map(order_line).collect(),
        }),
        OrderEvent::OrderConfirmed(_) => {
            PublicEvent::OrderConfirmed(OrderConfirmed { order: head, total: order.total() })
        }
        OrderEvent::OrderRejected(event) => PublicEvent::OrderRejected(OrderRejected {
            order: head,
            code: event.reason.as_str().to_owned(),
        }),
        // Why, in somebody's words, is not for everybody.
        OrderEvent::OrderHeld(_) => PublicEvent::OrderHeld(only(head)),
        OrderEvent::HoldReleased(_) => PublicEvent::OrderReleased(only(head)),
        OrderEvent::LinesCancelled(event) => PublicEvent::LinesCancelled(LinesCancelled {
            order: head,
            cancellation_id: event.cancellation_id.to_string(),
            lines: units(&event.lines),
            amount: order.amount(event.amount),
        }),
        OrderEvent::OrderCancelled(_) => PublicEvent::OrderCancelled(only(head)),
        OrderEvent::OrderCompleted(_) => PublicEvent::OrderCompleted(only(head)),
        OrderEvent::OrderErased(_) => PublicEvent::OrderErased(only(head)),
        OrderEvent::ReturnRequested(event) => PublicEvent::ReturnRequested(ReturnRequested {
            order: head,
            return_id: event.return_id.to_string(),
            lines: units(&event.lines),
        }),
        OrderEvent::ReturnReceived(event) => PublicEvent::ReturnReceived(ReturnReceived {
            order: head,
            return_id: event.return_id.to_string(),
            lines: units(&event.lines),
            amount: order.amount(event.amount),
        }),
        // A cart is not public, a step of a saga neither; of a parcel its own events tell.
        OrderEvent::DraftCreated(_)
        | OrderEvent::LineAdded(_)
        | OrderEvent::QuantityChanged(_)
        | OrderEvent::LineRemoved(_)
        | OrderEvent::PaymentReplaced(_)
        | OrderEvent::RejectionStarted(_)
        | OrderEvent::CancellationRequested(_)
        | OrderEvent::CancellationDeclined(_)
        | OrderEvent::LinesShipped(_)
        | OrderEvent::LinesDelivered(_) => return None,
    })
}

fn of_payment(event: &PaymentEvent, order: &OrderFacts) -> Option<PublicEvent> {
    Some(match event {
        PaymentEvent::PaymentAuthorized(event) => {
            PublicEvent::PaymentAuthorized(PaymentAuthorized {
                order: order.head(&event.order_id),
                payment_id: event.payment_id.to_string(),
                amount: amount(event.amount),
            })
        }
        PaymentEvent::PaymentDeclined(event) => PublicEvent::PaymentDeclined(PaymentDeclined {
            order: order.head(&event.order_id),
            payment_id: event.payment_id.to_string(),
            code: event.code.as_str().to_owned(),
        }),
        PaymentEvent::PaymentCaptured(event) => PublicEvent::PaymentCaptured(PaymentCaptured {
            order: order.head(&event.order_id),
            payment_id: event.payment_id.to_string(),
            shipment_id: event.shipment_id.to_string(),
            amount: amount(event.amount),
        }),
        PaymentEvent::PaymentRefunded(event) => PublicEvent::PaymentRefunded(PaymentRefunded {
            order: order.head(&event.order_id),
            payment_id: event.payment_id.to_string(),
            return_id: event.return_id.to_string(),
            amount: amount(event.amount),
        }),
        // What is only intended, not known yet, tried again, or settled by people among themselves.
        PaymentEvent::PaymentRequested(_)
        | PaymentEvent::PaymentOutcomeUnknown(_)
        | PaymentEvent::CaptureRequested(_)
        | PaymentEvent::CaptureFailed(_)
        | PaymentEvent::VoidRequested(_)
        | PaymentEvent::AuthorizationVoided(_)
        | PaymentEvent::VoidRefused(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::RefundFailed(_)
        | PaymentEvent::AuthorizationExpired(_)
        | PaymentEvent::PaymentSettledByHand(_) => return None,
    })
}

fn of_shipment(event: &ShipmentEvent, order: &OrderFacts) -> Option<PublicEvent> {
    Some(match event {
        ShipmentEvent::ShipmentShipped(event) => PublicEvent::ParcelShipped(ParcelShipped {
            order: order.head(&event.order_id),
            shipment_id: event.shipment_id.to_string(),
            carrier: event.carrier.as_str().to_owned(),
            tracking: event.tracking.as_str().to_owned(),
            lines: event.lines.iter().map(parcel_line).collect(),
        }),
        ShipmentEvent::ShipmentDelivered(event) => PublicEvent::ParcelDelivered(ParcelDelivered {
            order: order.head(&event.order_id),
            shipment_id: event.shipment_id.to_string(),
            lines: event.lines.iter().map(parcel_line).collect(),
        }),
        // How a parcel is packed is told by `GET /v1/shipments`.
        ShipmentEvent::ShipmentCreated(_)
        | ShipmentEvent::ShipmentSplit(_)
        | ShipmentEvent::ShipmentCancelled(_)
        | ShipmentEvent::ShipmentCancellationRefused(_) => return None,
    })
}

fn of_customer(event: &CustomerEvent) -> Option<PublicEvent> {
    match event {
        CustomerEvent::CustomerErased(event) => Some(PublicEvent::CustomerErased(CustomerErased {
            customer_id: event.customer_id.to_string(),
        })),
        // What they are called and how they are reached is personal.
        CustomerEvent::CustomerRegistered(_)
        | CustomerEvent::ContactChanged(_)
        | CustomerEvent::CustomerBlocked(_) => None,
    }
}

fn amount(money: Money) -> Amount {
    Amount { amount: money.minor(), currency: money.currency().to_string() }
}

fn order_line(line: &PlacedLine) -> OrderLine {
    OrderLine {
        line: line.line,
        sku: line.sku.to_string(),
        quantity: line.quantity.get(),
        unit_price: line.unit_price,
    }
}

fn parcel_line(line: &ShipmentLine) -> ParcelLine {
    ParcelLine { line: line.line, sku: line.sku.to_string(), quantity: line.quantity.get() }
}

fn units(lines: &[LineQuantity]) -> Vec<Units> {
    lines.iter().map(|line| Units { line: line.line, quantity: line.quantity.get() }).collect()
}

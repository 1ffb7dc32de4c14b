//! What the order saga does for every parcel that left: the stock, the order, the money, and when it has arrived.
//!
//! The order hears of the parcel before the money is taken, so that it is being fulfilled whatever the provider says.

use super::definition::{Answer, Ask, Did, Heard, Row};
use super::order_facts::OrderFacts;
use super::order_steps::{void_answer, without_outcome};
use super::parcels::{Parcel, Place};
use crate::event::Event;
use crate::ids::ShipmentId;
use crate::inventory::{ReservationEvent, ShipStock};
use crate::orders::{LineNumber, LineQuantity, OrderEvent, RecordDelivered, RecordShipped};
use crate::payments::{CapturePayment, Operation, PaymentEvent, Unmet, VoidAuthorization};
use crate::text::Quantity;

/// One parcel of an order.
pub(super) struct ParcelCase<'a> {
    pub(super) order: &'a OrderFacts,
    pub(super) shipment_id: &'a ShipmentId,
    pub(super) parcel: &'a Parcel,
}

impl ParcelCase<'_> {
    /// Whether a person settled by hand what it costs.
    fn is_settled(&self) -> bool {
        self.order.purse.is_settled(self.shipment_id)
    }

    fn units(&self) -> impl Iterator<Item = (LineNumber, u32)> + '_ {
        self.parcel.units.iter().map(|(line, units)| (*line, *units))
    }

    fn lines(&self) -> Vec<LineQuantity> {
        let line = |(line, units)| {
            Quantity::new(units).ok().map(|quantity| LineQuantity { line, quantity })
        };
        self.units().filter_map(line).collect()
    }
}

/// The index of the first step after the money is taken.
pub(super) const CAPTURED: usize = 3;

/// The steps of a parcel: all after the order's pivot, so all of them are retried until they are done.
pub(super) fn parcel_rows<'a>() -> [Row<ParcelCase<'a>>; 4] {
    [
        Row::new("ship_stock", ship_stock, stock_shipped),
        Row::new("record_shipped", record_shipped, shipped_recorded),
        Row::new("capture_payment", capture_payment, payment_captured),
        Row::new("record_delivered", record_delivered, delivered_recorded),
    ]
}

fn ship_stock(case: &ParcelCase<'_>, _: Did) -> Ask {
    let lines = case.order.stock(case.units());
    if lines.is_empty() {
        return Ask::Nothing;
    }
    Ask::send(ShipStock {
        order_id: case.order.order_id.clone(),
        shipment_id: case.shipment_id.clone(),
        lines,
    })
}

fn stock_shipped(case: &ParcelCase<'_>, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Reservation(ReservationEvent::ReservationShipped(event)) = heard.event else {
        return None;
    };
    (event.shipment_id == *case.shipment_id).then_some(Answer::Done)
}

fn record_shipped(case: &ParcelCase<'_>, _: Did) -> Ask {
    Ask::send(RecordShipped {
        order_id: case.order.order_id.clone(),
        shipment_id: case.shipment_id.clone(),
        lines: case.lines(),
    })
}

fn shipped_recorded(case: &ParcelCase<'_>, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(OrderEvent::LinesShipped(event)) = heard.event else { return None };
    (event.shipment_id == *case.shipment_id).then_some(Answer::Done)
}

/// Takes the parcel's amount. When a person settled that by hand, what is held for the parcel is given back instead.
fn capture_payment(case: &ParcelCase<'_>, _: Did) -> Ask {
    let amount = case.order.amount(case.units());
    if amount == 0 {
        return Ask::Nothing;
    }
    if case.order.renewal.as_ref().is_some_and(|renewal| !renewal.refused) {
        return Ask::wait("the authorization to be renewed");
    }
    let (payment_id, order_id) = (case.order.purse.current.clone(), case.order.order_id.clone());
    let amount = case.order.money(amount);
    if case.is_settled() {
        return Ask::send(VoidAuthorization {
            payment_id,
            order_id,
            amount: Some(amount),
            cancellation_id: None,
        });
    }
    let shipment_id = case.shipment_id.clone();
    Ask::send(CapturePayment { payment_id, order_id, shipment_id, amount })
}

fn payment_captured(case: &ParcelCase<'_>, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Payment(payment) = heard.event else { return None };
    let ours = |shipment_id| case.shipment_id == shipment_id;
    match payment {
        PaymentEvent::PaymentCaptured(event) if ours(&event.shipment_id) => Some(Answer::Done),
        PaymentEvent::CaptureFailed(event) if ours(&event.shipment_id) => Some(Answer::Refused {
            code: event.code.as_str().to_owned(),
            retriable: event.retriable,
        }),
        PaymentEvent::PaymentSettledByHand(event) => match &event.unmet {
            Unmet::Capture { shipment_id } => ours(shipment_id).then_some(Answer::Again),
            Unmet::Void { .. } | Unmet::Refund { .. } => {
                if heard.is_ours {
                    void_answer(payment)
                } else {
                    None
                }
            }
        },
        PaymentEvent::PaymentOutcomeUnknown(event) => {
            let asked = matches!(event.operation, Operation::Capture | Operation::Void);
            (heard.is_ours && asked).then(|| without_outcome(event))
        }
        PaymentEvent::AuthorizationVoided(_) | PaymentEvent::VoidRefused(_) if heard.is_ours => {
            void_answer(payment)
        }
        PaymentEvent::PaymentRequested(_)
        | PaymentEvent::PaymentAuthorized(_)
        | PaymentEvent::PaymentDeclined(_)
        | PaymentEvent::CaptureRequested(_)
        | PaymentEvent::PaymentCaptured(_)
        | PaymentEvent::CaptureFailed(_)
        | PaymentEvent::VoidRequested(_)
        | PaymentEvent::AuthorizationVoided(_)
        | PaymentEvent::VoidRefused(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::PaymentRefunded(_)
        | PaymentEvent::RefundFailed(_)
        | PaymentEvent::AuthorizationExpired(_) => None,
    }
}

fn record_delivered(case: &ParcelCase<'_>, _: Did) -> Ask {
    if case.parcel.place != Place::Delivered {
        return Ask::wait(format!("parcel {} to arrive", case.shipment_id));
    }
    Ask::send(RecordDelivered {
        order_id: case.order.order_id.clone(),
        shipment_id: case.shipment_id.clone(),
        lines: case.lines(),
    })
}

fn delivered_recorded(case: &ParcelCase<'_>, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(OrderEvent::LinesDelivered(event)) = heard.event else { return None };
    (event.shipment_id == *case.shipment_id).then_some(Answer::Done)
}

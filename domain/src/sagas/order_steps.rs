//! The order saga's table: authorize at checkout, capture at shipment.
//!
//! | # | step | kind | undo |
//! |--|--|--|--|
//! | 1 | `reserve_stock` | compensatable | `release_stock` |
//! | 2 | `authorize_payment` | compensatable | `void_authorization`, once the outcome is known |
//! | 3 | `confirm_order` | pivot | |
//! | 4 | `create_shipment` | retriable | |
//! | 5 | `complete_order` | retriable | |
//!
//! Beside it every parcel that left runs `ship_stock`, `record_shipped`, `capture_payment`, `record_delivered`.

use std::sync::LazyLock;

use super::definition::{Answer, Ask, Definition, Did, Heard, Row};
use super::order_facts::{Ending, OrderFacts};
use crate::event::Event;
use crate::inventory::{ReleaseStock, ReservationEvent, ReserveStock};
use crate::orders::{
    CompleteOrder, ConfirmOrder, FinishCancellation, FinishRejection, OrderEvent, RejectOrder,
};
use crate::payments::{
    AuthorizePayment, Operation, PaymentEvent, PaymentOutcomeUnknown, Unmet, VoidAuthorization,
};
use crate::shipping::{CreateShipment, ShipmentEvent, ShipmentLine};

/// The table.
pub(super) static ORDER: LazyLock<Definition<OrderFacts>> = LazyLock::new(|| {
    Definition::begin()
        .compensatable(
            Row::new("reserve_stock", reserve_stock, stock_reserved).undone_by(Row::new(
                "release_stock",
                release_stock,
                stock_released,
            )),
        )
        .compensatable(
            Row::new("authorize_payment", authorize_payment, payment_authorized)
                .undone_by(Row::new("void_authorization", void_authorization, voided)),
        )
        .pivot(Row::new("confirm_order", confirm_order, order_confirmed))
        .retriable(Row::new("create_shipment", create_shipment, shipment_created))
        .retriable(Row::new("complete_order", complete_order, order_completed))
        .build()
});

/// What undoes it, last step first, and then says so on the order.
pub(super) static UNDOS: LazyLock<Vec<Row<OrderFacts>>> =
    LazyLock::new(|| ORDER.undos(Row::new("finish", finish, finished)));

/// What begins the undoing: the order refuses the pivot from then on.
pub(super) static REJECT: LazyLock<Vec<Row<OrderFacts>>> =
    LazyLock::new(|| vec![Row::new("reject_order", reject_order, rejection_started)]);

/// A hard refusal with this code.
pub(super) fn refused(code: &str) -> Answer {
    Answer::Refused { code: code.to_owned(), retriable: false }
}

fn reserve_stock(order: &OrderFacts, _: Did) -> Ask {
    let lines = order.stock(order.lines.iter().map(|line| (line.line, line.quantity.get())));
    if lines.is_empty() {
        return Ask::Nothing;
    }
    Ask::send(ReserveStock { order_id: order.order_id.clone(), lines })
}

fn stock_reserved(_: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Reservation(event) = heard.event else { return None };
    match event {
        ReservationEvent::ReservationMade(_) => Some(Answer::Done),
        ReservationEvent::ReservationRefused(_) => Some(refused("out_of_stock")),
        ReservationEvent::ReservationReleased(_)
        | ReservationEvent::ReservationShipped(_)
        | ReservationEvent::ReturnStocked(_) => None,
    }
}

/// A release that comes before its reservation leaves a tombstone, so it need not wait for the outcome.
fn release_stock(order: &OrderFacts, did: Did) -> Ask {
    let skipped = !order.lines.iter().any(|line| line.stocked);
    if skipped || matches!(did, Did::Never | Did::Refused) {
        return Ask::Nothing;
    }
    Ask::send(ReleaseStock { order_id: order.order_id.clone(), lines: None, cancellation_id: None })
}

fn stock_released(_: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Reservation(event) = heard.event else { return None };
    matches!(event, ReservationEvent::ReservationReleased(_)).then_some(Answer::Done)
}

fn authorize_payment(order: &OrderFacts, _: Did) -> Ask {
    if order.total == 0 {
        return Ask::Nothing;
    }
    Ask::send(AuthorizePayment {
        payment_id: order.first_payment(),
        order_id: order.order_id.clone(),
        amount: order.money(order.total),
        method: order.method.clone(),
    })
}

fn payment_authorized(order: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Payment(event) = heard.event else { return None };
    if *event.payment_id() != order.first_payment() {
        return None;
    }
    authorization_answer(event)
}

/// What an event of a payment says about its authorization.
pub(super) fn authorization_answer(event: &PaymentEvent) -> Option<Answer> {
    match event {
        PaymentEvent::PaymentAuthorized(_) => Some(Answer::Done),
        PaymentEvent::PaymentDeclined(event) => Some(refused(event.code.as_str())),
        PaymentEvent::PaymentOutcomeUnknown(event) => {
            (event.operation == Operation::Authorize).then(|| without_outcome(event))
        }
        PaymentEvent::PaymentRequested(_)
        | PaymentEvent::CaptureRequested(_)
        | PaymentEvent::PaymentCaptured(_)
        | PaymentEvent::CaptureFailed(_)
        | PaymentEvent::VoidRequested(_)
        | PaymentEvent::AuthorizationVoided(_)
        | PaymentEvent::VoidRefused(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::PaymentRefunded(_)
        | PaymentEvent::RefundFailed(_)
        | PaymentEvent::AuthorizationExpired(_)
        | PaymentEvent::PaymentSettledByHand(_) => None,
    }
}

/// What a missing answer of the provider means, or one to another question.
pub(super) fn without_outcome(event: &PaymentOutcomeUnknown) -> Answer {
    if event.found.is_some() { Answer::Differs } else { Answer::Unknown }
}

/// Nothing is undone while the outcome is not known: the money may be held or not.
fn void_authorization(order: &OrderFacts, did: Did) -> Ask {
    match did {
        _ if order.total == 0 => Ask::Nothing,
        Did::Never | Did::Refused => Ask::Nothing,
        Did::Asked => Ask::wait("the provider's answer, before anything is undone"),
        Did::Done => Ask::send(VoidAuthorization {
            payment_id: order.first_payment(),
            order_id: order.order_id.clone(),
            amount: Some(order.money(order.total)),
            cancellation_id: None,
        }),
    }
}

fn voided(order: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Payment(event) = heard.event else { return None };
    if *event.payment_id() != order.first_payment() {
        return None;
    }
    void_answer(event)
}

/// What an event of a payment says about a void.
pub(super) fn void_answer(event: &PaymentEvent) -> Option<Answer> {
    match event {
        PaymentEvent::AuthorizationVoided(_) => Some(Answer::Done),
        PaymentEvent::PaymentSettledByHand(event) => {
            matches!(event.unmet, Unmet::Void { .. }).then_some(Answer::Done)
        }
        PaymentEvent::VoidRefused(event) => Some(Answer::Refused {
            code: event.code.as_str().to_owned(),
            retriable: event.retriable,
        }),
        PaymentEvent::PaymentOutcomeUnknown(event) => {
            (event.operation == Operation::Void).then(|| without_outcome(event))
        }
        PaymentEvent::PaymentRequested(_)
        | PaymentEvent::PaymentAuthorized(_)
        | PaymentEvent::PaymentDeclined(_)
        | PaymentEvent::CaptureRequested(_)
        | PaymentEvent::PaymentCaptured(_)
        | PaymentEvent::CaptureFailed(_)
        | PaymentEvent::VoidRequested(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::PaymentRefunded(_)
        | PaymentEvent::RefundFailed(_)
        | PaymentEvent::AuthorizationExpired(_) => None,
    }
}

fn confirm_order(order: &OrderFacts, _: Did) -> Ask {
    let payment_id = (order.total > 0).then(|| order.first_payment());
    Ask::send(ConfirmOrder { order_id: order.order_id.clone(), payment_id })
}

fn order_confirmed(_: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(event) = heard.event else { return None };
    matches!(event, OrderEvent::OrderConfirmed(_)).then_some(Answer::Done)
}

fn create_shipment(order: &OrderFacts, _: Did) -> Ask {
    let lines = order.lines.iter().map(|line| ShipmentLine {
        line: line.line,
        sku: line.sku.clone(),
        quantity: line.quantity,
    });
    Ask::send(CreateShipment {
        shipment_id: order.first_shipment(),
        order_id: order.order_id.clone(),
        lines: lines.collect(),
    })
}

fn shipment_created(order: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Shipment(ShipmentEvent::ShipmentCreated(event)) = heard.event else { return None };
    (event.shipment_id == order.first_shipment()).then_some(Answer::Done)
}

fn complete_order(order: &OrderFacts, _: Did) -> Ask {
    match order.open_parcels() {
        Some(waits) => Ask::wait(waits),
        None => Ask::send(CompleteOrder { order_id: order.order_id.clone() }),
    }
}

fn order_completed(_: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(event) = heard.event else { return None };
    matches!(event, OrderEvent::OrderCompleted(_)).then_some(Answer::Done)
}

fn reject_order(order: &OrderFacts, _: Did) -> Ask {
    match &order.rejecting {
        Some(reason) => {
            let (order_id, reason) = (order.order_id.clone(), reason.clone());
            Ask::send(RejectOrder { order_id, reason })
        }
        None => Ask::Nothing,
    }
}

fn rejection_started(_: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(event) = heard.event else { return None };
    matches!(event, OrderEvent::RejectionStarted(_)).then_some(Answer::Done)
}

fn finish(order: &OrderFacts, _: Did) -> Ask {
    let order_id = order.order_id.clone();
    match order.ending {
        Some(Ending::Rejected) => Ask::send(FinishRejection { order_id }),
        Some(Ending::Cancelled) => Ask::send(FinishCancellation { order_id }),
        None => Ask::wait("the order to say how it ends"),
    }
}

fn finished(_: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(event) = heard.event else { return None };
    matches!(event, OrderEvent::OrderRejected(_) | OrderEvent::OrderCancelled(_))
        .then_some(Answer::Done)
}

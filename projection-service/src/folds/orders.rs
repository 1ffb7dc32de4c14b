//! Orders: one row folds the order's own events and those of its payments, parcels and returned units.

use std::collections::BTreeMap;

use domain::event::Event;
use domain::ids::{OrderId, SagaId};
use domain::inventory::ReservationEvent;
use domain::orders::{DraftCreated, LineAdded, OrderEvent, OrderPlaced};
use domain::payments::PaymentEvent;
use domain::sagas::{SagaKind, SagaState};

use super::order_row::{LineRow, OrderRow, Pending, Phase, ReturnRow, ReturnStatus};
use super::{FoldError, Seen, payments, shipments};

/// Folds any event about an order; `None` when the order has no row after it.
pub fn fold(
    row: Option<OrderRow>,
    event: &Event,
    seen: Seen,
) -> Result<Option<OrderRow>, FoldError> {
    let Some(order_id) = event.order_id() else { return Ok(row) };
    let begun = |row: Option<OrderRow>| {
        row.ok_or_else(|| FoldError::nothing_began(event.event_type(), order_id.as_str()))
    };
    match event {
        Event::Order(event) => order(row, event, seen).map(Some),
        Event::Payment(event) => {
            let mut row = begun(row)?;
            payment(&mut row, event, order_id, seen);
            Ok(Some(row))
        }
        Event::Shipment(event) => {
            let mut row = begun(row)?;
            if let Some(status) = shipments::status_after(event) {
                row.shipments.insert(event.shipment_id().clone(), status);
            }
            Ok(Some(row))
        }
        Event::Reservation(event) => {
            let mut row = begun(row)?;
            reservation(&mut row, event);
            Ok(Some(row))
        }
        Event::Product(_)
        | Event::Customer(_)
        | Event::Stock(_)
        | Event::Command(_)
        | Event::Operator(_) => Ok(row),
    }
}

fn payment(row: &mut OrderRow, event: &PaymentEvent, order_id: &OrderId, seen: Seen) {
    let id = event.payment_id();
    let folded = payments::fold(row.payments.remove(id), event, order_id, seen);
    row.payments.insert(id.clone(), folded);
}

fn reservation(row: &mut OrderRow, event: &ReservationEvent) {
    match event {
        ReservationEvent::ReturnStocked(event) => {
            let saga = SagaId::of_return(&event.return_id);
            row.saga(saga, SagaKind::Return, SagaState::Completed);
        }
        ReservationEvent::ReservationMade(_)
        | ReservationEvent::ReservationRefused(_)
        | ReservationEvent::ReservationReleased(_)
        | ReservationEvent::ReservationShipped(_) => {}
    }
}

fn order(row: Option<OrderRow>, event: &OrderEvent, seen: Seen) -> Result<OrderRow, FoldError> {
    let mut row = match (event, row) {
        (OrderEvent::DraftCreated(event), _) => drafted(event, seen),
        (OrderEvent::OrderPlaced(event), row) => placed(row, event, seen),
        (_, Some(row)) => row,
        (_, None) => {
            return Err(FoldError::nothing_began(event.event_type(), event.order().as_str()));
        }
    };
    cart(&mut row, event);
    decided(&mut row, event);
    undone(&mut row, event);
    moved(&mut row, event);
    row.version = seen.version;
    Ok(row)
}

fn drafted(event: &DraftCreated, seen: Seen) -> OrderRow {
    OrderRow {
        id: event.order_id.clone(),
        reference: event.reference.as_ref().map(|reference| reference.as_str().to_owned()),
        phase: Phase::Draft,
        held: false,
        pending: None,
        reason: None,
        customer_id: event.customer_id.clone(),
        currency: event.currency,
        total: 0,
        lines: Vec::new(),
        payments: BTreeMap::new(),
        payment_id: None,
        shipments: BTreeMap::new(),
        returns: BTreeMap::new(),
        sagas: BTreeMap::new(),
        address: event.shipping_address.clone(),
        erased: false,
        created_at: seen.occurred_at,
        placed_at: None,
        version: 0,
    }
}

fn placed(draft: Option<OrderRow>, event: &OrderPlaced, seen: Seen) -> OrderRow {
    let line = |line: &domain::orders::PlacedLine| LineRow {
        line: line.line,
        sku: line.sku.clone(),
        quantity: line.quantity.get(),
        unit_price: Some(line.unit_price),
        cancelled: 0,
        shipped: 0,
        delivered: 0,
        returned: 0,
    };
    let mut lines: Vec<LineRow> = event.lines.iter().map(line).collect();
    lines.sort_by_key(|line| line.line);
    let mut row = OrderRow {
        id: event.order_id.clone(),
        reference: event.reference.as_ref().map(|reference| reference.as_str().to_owned()),
        phase: Phase::Placed,
        held: false,
        pending: None,
        reason: None,
        customer_id: event.customer_id.clone(),
        currency: event.currency,
        total: event.total,
        lines,
        payments: BTreeMap::new(),
        payment_id: None,
        shipments: BTreeMap::new(),
        returns: BTreeMap::new(),
        sagas: BTreeMap::new(),
        address: event.shipping_address.clone(),
        erased: false,
        created_at: draft.map_or(seen.occurred_at, |draft| draft.created_at),
        placed_at: Some(seen.occurred_at),
        version: 0,
    };
    row.order_saga(SagaState::Running);
    row
}

/// What happens to a cart's lines.
fn cart(row: &mut OrderRow, event: &OrderEvent) {
    match event {
        OrderEvent::LineAdded(LineAdded { line, sku, quantity, unit_price, .. }) => {
            row.lines.push(LineRow {
                line: *line,
                sku: sku.clone(),
                quantity: quantity.get(),
                unit_price: unit_price.map(domain::money::Money::minor),
                cancelled: 0,
                shipped: 0,
                delivered: 0,
                returned: 0,
            });
            row.lines.sort_by_key(|line| line.line);
        }
        OrderEvent::QuantityChanged(event) => {
            for line in row.lines.iter_mut().filter(|line| line.line == event.line) {
                line.quantity = event.quantity.get();
            }
        }
        OrderEvent::LineRemoved(event) => row.lines.retain(|line| line.line != event.line),
        OrderEvent::DraftCreated(_)
        | OrderEvent::OrderPlaced(_)
        | OrderEvent::OrderConfirmed(_)
        | OrderEvent::PaymentReplaced(_)
        | OrderEvent::RejectionStarted(_)
        | OrderEvent::OrderRejected(_)
        | OrderEvent::OrderHeld(_)
        | OrderEvent::HoldReleased(_)
        | OrderEvent::CancellationRequested(_)
        | OrderEvent::CancellationDeclined(_)
        | OrderEvent::LinesCancelled(_)
        | OrderEvent::OrderCancelled(_)
        | OrderEvent::LinesShipped(_)
        | OrderEvent::LinesDelivered(_)
        | OrderEvent::ReturnRequested(_)
        | OrderEvent::ReturnReceived(_)
        | OrderEvent::OrderCompleted(_)
        | OrderEvent::OrderErased(_) => return,
    }
    row.sum_lines();
}

/// What is decided about the whole order.
fn decided(row: &mut OrderRow, event: &OrderEvent) {
    match event {
        OrderEvent::OrderConfirmed(event) => {
            row.phase = Phase::Confirmed;
            row.payment_id.clone_from(&event.payment_id);
            row.order_saga(SagaState::Waiting);
        }
        OrderEvent::PaymentReplaced(event) => row.payment_id = Some(event.payment_id.clone()),
        OrderEvent::OrderHeld(event) => {
            row.held = true;
            row.because(event.reason.as_ref());
        }
        OrderEvent::HoldReleased(_) => {
            row.held = false;
            row.reason = None;
        }
        OrderEvent::OrderCompleted(_) => {
            row.phase = Phase::Completed;
            row.order_saga(SagaState::Completed);
        }
        OrderEvent::OrderErased(_) => {
            row.erased = true;
            row.address.details = None;
        }
        OrderEvent::DraftCreated(_)
        | OrderEvent::LineAdded(_)
        | OrderEvent::QuantityChanged(_)
        | OrderEvent::LineRemoved(_)
        | OrderEvent::OrderPlaced(_)
        | OrderEvent::RejectionStarted(_)
        | OrderEvent::OrderRejected(_)
        | OrderEvent::CancellationRequested(_)
        | OrderEvent::CancellationDeclined(_)
        | OrderEvent::LinesCancelled(_)
        | OrderEvent::OrderCancelled(_)
        | OrderEvent::LinesShipped(_)
        | OrderEvent::LinesDelivered(_)
        | OrderEvent::ReturnRequested(_)
        | OrderEvent::ReturnReceived(_) => {}
    }
}

/// What is given up: the order, or some of its lines.
fn undone(row: &mut OrderRow, event: &OrderEvent) {
    match event {
        OrderEvent::RejectionStarted(event) => {
            row.held = false;
            row.pending = Some(Pending::Rejection);
            row.because(Some(&event.reason));
        }
        OrderEvent::OrderRejected(event) => {
            row.give_up(Phase::Rejected, Some(&event.reason));
            row.order_saga(SagaState::Compensated);
        }
        OrderEvent::CancellationRequested(event) => {
            if let Some(id) = &event.cancellation_id {
                let saga = SagaId::of_cancellation(id);
                row.saga(saga, SagaKind::Cancellation, SagaState::Running);
            } else {
                row.held = false;
                row.pending = Some(Pending::Cancellation);
                row.because(event.reason.as_ref());
            }
        }
        OrderEvent::CancellationDeclined(event) => {
            let saga = SagaId::of_cancellation(&event.cancellation_id);
            row.saga(saga, SagaKind::Cancellation, SagaState::Compensated);
        }
        OrderEvent::LinesCancelled(event) => {
            row.each(&event.lines, |line, n| line.cancelled = line.cancelled.saturating_add(n));
            let saga = SagaId::of_cancellation(&event.cancellation_id);
            row.saga(saga, SagaKind::Cancellation, SagaState::Completed);
        }
        OrderEvent::OrderCancelled(event) => {
            match row.phase {
                Phase::Draft => {}
                Phase::Placed => row.order_saga(SagaState::Compensated),
                Phase::Confirmed
                | Phase::Fulfilling
                | Phase::Completed
                | Phase::Rejected
                | Phase::Cancelled => row.order_saga(SagaState::Completed),
            }
            row.give_up(Phase::Cancelled, event.reason.as_ref());
        }
        OrderEvent::DraftCreated(_)
        | OrderEvent::LineAdded(_)
        | OrderEvent::QuantityChanged(_)
        | OrderEvent::LineRemoved(_)
        | OrderEvent::OrderPlaced(_)
        | OrderEvent::OrderConfirmed(_)
        | OrderEvent::PaymentReplaced(_)
        | OrderEvent::OrderHeld(_)
        | OrderEvent::HoldReleased(_)
        | OrderEvent::LinesShipped(_)
        | OrderEvent::LinesDelivered(_)
        | OrderEvent::ReturnRequested(_)
        | OrderEvent::ReturnReceived(_)
        | OrderEvent::OrderCompleted(_)
        | OrderEvent::OrderErased(_) => {}
    }
}

/// What goes out and comes back.
fn moved(row: &mut OrderRow, event: &OrderEvent) {
    match event {
        OrderEvent::LinesShipped(event) => {
            row.phase = Phase::Fulfilling;
            row.each(&event.lines, |line, n| line.shipped = line.shipped.saturating_add(n));
        }
        OrderEvent::LinesDelivered(event) => {
            row.each(&event.lines, |line, n| line.delivered = line.delivered.saturating_add(n));
        }
        OrderEvent::ReturnRequested(event) => {
            let saga = SagaId::of_return(&event.return_id);
            row.saga(saga, SagaKind::Return, SagaState::Waiting);
            let lines = event.lines.clone();
            let requested = ReturnRow { status: ReturnStatus::Requested, lines };
            row.returns.insert(event.return_id.clone(), requested);
        }
        OrderEvent::ReturnReceived(event) => {
            row.each(&event.lines, |line, n| line.returned = line.returned.saturating_add(n));
            let saga = SagaId::of_return(&event.return_id);
            row.saga(saga, SagaKind::Return, SagaState::Running);
            let lines = event.lines.clone();
            let received = ReturnRow { status: ReturnStatus::Received, lines };
            row.returns.insert(event.return_id.clone(), received);
        }
        OrderEvent::DraftCreated(_)
        | OrderEvent::LineAdded(_)
        | OrderEvent::QuantityChanged(_)
        | OrderEvent::LineRemoved(_)
        | OrderEvent::OrderPlaced(_)
        | OrderEvent::OrderConfirmed(_)
        | OrderEvent::PaymentReplaced(_)
        | OrderEvent::RejectionStarted(_)
        | OrderEvent::OrderRejected(_)
        | OrderEvent::OrderHeld(_)
        | OrderEvent::HoldReleased(_)
        | OrderEvent::CancellationRequested(_)
        | OrderEvent::CancellationDeclined(_)
        | OrderEvent::LinesCancelled(_)
        | OrderEvent::OrderCancelled(_)
        | OrderEvent::OrderCompleted(_)
        | OrderEvent::OrderErased(_) => {}
    }
}

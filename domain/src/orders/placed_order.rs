//! An order that stands: its lines, how far it is, and what is under way about it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    CancellationRequested, LineNumber, LineQuantity, OrderEvent, OrderLine, OrderPlaced,
    OrderStatus, ReturnRequested,
};
use crate::ids::{CancellationId, CustomerId, OrderId, PaymentId, ReturnId, ShipmentId};
use crate::money::Currency;
use crate::refusal::Refusal;
use crate::text::Reason;

/// How far a placed order is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// Before the pivot.
    Placed,
    /// Refused; its saga undoes what was done.
    Rejecting(Reason),
    /// Cancelled before the pivot; its saga undoes what was done.
    Cancelling(Option<Reason>),
    /// After the pivot, nothing shipped.
    Confirmed,
    /// Something was shipped.
    Fulfilling,
    /// Everything is delivered or cancelled, and paid.
    Completed,
    /// Undone after a refusal.
    Rejected,
    /// Nothing of it is left to be carried out.
    Cancelled,
}

/// How a cancellation after the pivot stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CancellationState {
    /// Its saga is at work on these lines.
    Running(Vec<LineQuantity>),
    /// Its lines are cancelled.
    Settled,
    /// It came too late.
    Declined,
}

/// A cancellation after the pivot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cancellation {
    pub(super) id: CancellationId,
    pub(super) reason: Option<Reason>,
    pub(super) state: CancellationState,
}

/// A return of delivered units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Return {
    pub(super) id: ReturnId,
    pub(super) lines: Vec<LineQuantity>,
    /// Once it was received: whether its units can be sold again.
    pub(super) restocked: Option<bool>,
}

/// An order that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedOrder {
    pub(super) customer_id: Option<CustomerId>,
    pub(super) currency: Currency,
    pub(super) total: i64,
    pub(super) lines: Vec<OrderLine>,
    pub(super) phase: Phase,
    pub(super) passed_pivot: bool,
    pub(super) held: bool,
    pub(super) erased: bool,
    pub(super) payments: Vec<PaymentId>,
    pub(super) shipped: BTreeSet<ShipmentId>,
    pub(super) delivered: BTreeSet<ShipmentId>,
    pub(super) cancellations: Vec<Cancellation>,
    pub(super) returns: Vec<Return>,
}

impl PlacedOrder {
    pub(super) fn new(event: &OrderPlaced) -> Self {
        Self {
            customer_id: event.customer_id.clone(),
            currency: event.currency,
            total: event.total,
            lines: event.lines.iter().map(OrderLine::new).collect(),
            phase: Phase::Placed,
            passed_pivot: false,
            held: false,
            erased: false,
            payments: Vec::new(),
            shipped: BTreeSet::new(),
            delivered: BTreeSet::new(),
            cancellations: Vec::new(),
            returns: Vec::new(),
        }
    }

    pub(super) fn status(&self) -> OrderStatus {
        match &self.phase {
            Phase::Placed | Phase::Confirmed | Phase::Fulfilling if self.held => {
                OrderStatus::OnHold
            }
            Phase::Placed | Phase::Rejecting(_) | Phase::Cancelling(_) => OrderStatus::Placed,
            Phase::Confirmed => OrderStatus::Confirmed,
            Phase::Fulfilling => OrderStatus::Fulfilling,
            Phase::Completed => OrderStatus::Completed,
            Phase::Rejected => OrderStatus::Rejected,
            Phase::Cancelled => OrderStatus::Cancelled,
        }
    }

    /// The refusal of what the order's phase does not allow, as precise as can be.
    pub(super) fn refusal(&self, order_id: &OrderId) -> Refusal {
        match &self.phase {
            Phase::Rejecting(_) => Refusal::RejectionStarted { order_id: order_id.clone() },
            Phase::Cancelling(_) => Refusal::CancellationRequested { order_id: order_id.clone() },
            Phase::Placed
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::Completed
            | Phase::Rejected
            | Phase::Cancelled => {
                Refusal::WrongState { what: "order", state: self.status().as_str() }
            }
        }
    }

    /// Refuses what can only be done while a confirmed order is being carried out.
    pub(super) fn check_in_progress(&self, order_id: &OrderId) -> Result<(), Refusal> {
        match &self.phase {
            Phase::Confirmed | Phase::Fulfilling => Ok(()),
            Phase::Placed
            | Phase::Rejecting(_)
            | Phase::Cancelling(_)
            | Phase::Completed
            | Phase::Rejected
            | Phase::Cancelled => Err(self.refusal(order_id)),
        }
    }

    pub(super) fn line(&self, order_id: &OrderId, line: LineNumber) -> Result<&OrderLine, Refusal> {
        index(&self.lines, line)
            .map(|at| &self.lines[at])
            .ok_or_else(|| Refusal::LineNotFound { order_id: order_id.clone(), line })
    }

    /// What these lines cost.
    pub(super) fn amount(
        &self,
        order_id: &OrderId,
        lines: &[LineQuantity],
    ) -> Result<i64, Refusal> {
        let mut sum = 0_i64;
        for line in lines {
            let amount = self.line(order_id, line.line)?.amount_of(line.quantity.get());
            sum = sum.saturating_add(amount);
        }
        Ok(sum)
    }

    pub(super) fn cancellation(&self, id: &CancellationId) -> Result<&Cancellation, Refusal> {
        self.cancellations
            .iter()
            .find(|cancellation| cancellation.id == *id)
            .ok_or_else(|| Refusal::CancellationNotFound { cancellation_id: id.clone() })
    }

    pub(super) fn next_cancellation(&self, order_id: &OrderId) -> CancellationId {
        CancellationId::nth(order_id, nth(self.cancellations.len()))
    }

    pub(super) fn next_return(&self, order_id: &OrderId) -> ReturnId {
        ReturnId::nth(order_id, nth(self.returns.len()))
    }

    fn each(&mut self, lines: &[LineQuantity], mut change: impl FnMut(&mut OrderLine, u32)) {
        for quantity in lines {
            if let Some(at) = index(&self.lines, quantity.line) {
                change(&mut self.lines[at], quantity.quantity.get());
            }
        }
    }

    fn cancellation_requested(&mut self, event: &CancellationRequested) {
        let Some(id) = event.cancellation_id.clone() else {
            self.phase = Phase::Cancelling(event.reason.clone());
            self.held = false;
            return;
        };
        self.each(&event.lines, |line, n| line.cancelling = line.cancelling.saturating_add(n));
        self.cancellations.push(Cancellation {
            id,
            reason: event.reason.clone(),
            state: CancellationState::Running(event.lines.clone()),
        });
    }

    fn cancellation_ended(&mut self, id: &CancellationId, state: CancellationState) {
        let found = self.cancellations.iter_mut().find(|cancellation| cancellation.id == *id);
        let Some(cancellation) = found else { return };
        if let CancellationState::Running(lines) = std::mem::replace(&mut cancellation.state, state)
        {
            self.each(&lines, |line, n| line.cancelling = line.cancelling.saturating_sub(n));
        }
    }

    fn return_requested(&mut self, event: &ReturnRequested) {
        self.each(&event.lines, |line, n| line.returning = line.returning.saturating_add(n));
        let (id, lines) = (event.return_id.clone(), event.lines.clone());
        self.returns.push(Return { id, lines, restocked: None });
    }

    pub(super) fn apply(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::OrderConfirmed(event) => {
                self.phase = Phase::Confirmed;
                self.passed_pivot = true;
                self.payments.extend(event.payment_id.clone());
            }
            OrderEvent::PaymentReplaced(event) => self.payments.push(event.payment_id.clone()),
            OrderEvent::RejectionStarted(event) => {
                self.phase = Phase::Rejecting(event.reason.clone());
                self.held = false;
            }
            OrderEvent::OrderRejected(_) => self.phase = Phase::Rejected,
            OrderEvent::OrderHeld(_) => self.held = true,
            OrderEvent::HoldReleased(_) => self.held = false,
            OrderEvent::CancellationRequested(event) => self.cancellation_requested(event),
            OrderEvent::CancellationDeclined(event) => {
                self.cancellation_ended(&event.cancellation_id, CancellationState::Declined);
            }
            OrderEvent::LinesCancelled(event) => {
                self.cancellation_ended(&event.cancellation_id, CancellationState::Settled);
                self.each(&event.lines, |line, n| {
                    line.cancelled = line.cancelled.saturating_add(n);
                });
            }
            OrderEvent::OrderCancelled(_) => self.phase = Phase::Cancelled,
            OrderEvent::LinesShipped(event) => {
                self.phase = Phase::Fulfilling;
                self.shipped.insert(event.shipment_id.clone());
                self.each(&event.lines, |line, n| line.shipped = line.shipped.saturating_add(n));
            }
            OrderEvent::LinesDelivered(event) => {
                self.delivered.insert(event.shipment_id.clone());
                self.each(&event.lines, |line, n| {
                    line.delivered = line.delivered.saturating_add(n);
                });
            }
            OrderEvent::ReturnRequested(event) => self.return_requested(event),
            OrderEvent::ReturnReceived(event) => {
                let arrived = self.returns.iter_mut().find(|one| one.id == event.return_id);
                if let Some(arrived) = arrived {
                    arrived.restocked = Some(event.restock);
                }
                self.each(&event.lines, |line, n| {
                    line.returning = line.returning.saturating_sub(n);
                    line.returned = line.returned.saturating_add(n);
                });
            }
            OrderEvent::OrderCompleted(_) => self.phase = Phase::Completed,
            OrderEvent::OrderErased(_) => self.erased = true,
            OrderEvent::DraftCreated(_)
            | OrderEvent::LineAdded(_)
            | OrderEvent::QuantityChanged(_)
            | OrderEvent::LineRemoved(_)
            | OrderEvent::OrderPlaced(_) => {}
        }
    }
}

/// Where the line stands: lines are in the order of their numbers, and those of a cart have gaps.
pub(super) fn index(lines: &[OrderLine], number: LineNumber) -> Option<usize> {
    lines.binary_search_by_key(&number, |line| line.line).ok()
}

fn nth(so_far: usize) -> u32 {
    u32::try_from(so_far).unwrap_or(u32::MAX).saturating_add(1)
}

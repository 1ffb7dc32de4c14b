//! The states of an order, and what may happen in each.

use domain::orders::{LineQuantity, OrderEvent, ReturnRequested};

use super::lines::{self, Step};
use super::{Asked, OrderFacts, Orders};
use crate::finding::{Report, Rule};

/// Where an order stands. Fulfilling is not told from confirmed: nothing here depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Status {
    #[default]
    Absent,
    Draft,
    Placed,
    /// Rejected as soon as everything is undone.
    Rejecting,
    /// Cancelled before the pivot, as soon as everything is undone.
    Cancelling,
    Confirmed,
    Completed,
    Rejected,
    Cancelled,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Absent => "unknown",
            Self::Draft => "a draft",
            Self::Placed => "placed",
            Self::Rejecting => "being rejected",
            Self::Cancelling => "being cancelled before its confirmation",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An order's event is judged by the facts before it.
struct Judge<'f> {
    at: u64,
    id: &'f str,
    event: &'static str,
    order: &'f mut OrderFacts,
    report: &'f mut Report,
}

impl Orders {
    /// An event of an order's stream.
    pub(crate) fn observe(&mut self, at: u64, event: &OrderEvent, report: &mut Report) {
        let id = event.order().as_str();
        let name = event.event_type();
        if let OrderEvent::OrderPlaced(placed) = event {
            let mut judge = Judge { at, id, event: name, order: self.facts(id), report };
            judge.moves(&[Status::Absent, Status::Draft], Status::Placed);
            return self.place(placed);
        }
        let mut judge = Judge { at, id, event: name, order: self.facts(id), report };
        judge.observe(event);
    }
}

impl Judge<'_> {
    fn observe(&mut self, event: &OrderEvent) {
        use Status::{
            Absent, Cancelled, Cancelling, Completed, Confirmed, Draft, Placed, Rejected, Rejecting,
        };
        match event {
            // Seen to before: it needs the names of SKUs.
            OrderEvent::OrderPlaced(_) => {}
            OrderEvent::DraftCreated(_) => self.moves(&[Absent], Draft),
            OrderEvent::LineAdded(_)
            | OrderEvent::QuantityChanged(_)
            | OrderEvent::LineRemoved(_) => self.needs(&[Draft]),
            OrderEvent::OrderConfirmed(_) => self.moves(&[Placed], Confirmed),
            OrderEvent::PaymentReplaced(_) => self.needs(&[Confirmed]),
            OrderEvent::RejectionStarted(_) => self.moves(&[Placed], Rejecting),
            OrderEvent::OrderRejected(_) => self.moves(&[Rejecting], Rejected),
            OrderEvent::OrderHeld(_) => {
                self.needs(&[Placed, Confirmed]);
                self.order.held = true;
            }
            OrderEvent::HoldReleased(_) => self.release(),
            OrderEvent::CancellationRequested(event) => match &event.cancellation_id {
                None => self.moves(&[Draft, Placed], Cancelling),
                Some(id) => {
                    self.needs(&[Confirmed]);
                    self.asks_to_cancel(id.as_str(), &event.lines);
                }
            },
            OrderEvent::CancellationDeclined(event) => {
                self.settles_cancellation(event.cancellation_id.as_str(), None);
            }
            OrderEvent::LinesCancelled(event) => {
                self.needs(&[Confirmed]);
                self.settles_cancellation(event.cancellation_id.as_str(), Some(&event.lines));
                self.step(Step::Cancelled, &event.lines);
            }
            OrderEvent::OrderCancelled(_) => {
                let whole = self.order.status == Confirmed && self.order.lines.all_cancelled();
                let from: &[Status] = if whole { &[Confirmed] } else { &[Draft, Cancelling] };
                self.moves(from, Cancelled);
            }
            OrderEvent::LinesShipped(event) => {
                self.needs(&[Confirmed]);
                self.step(Step::Shipped, &event.lines);
                self.records_parcel(event.shipment_id.as_str(), &event.lines);
            }
            OrderEvent::LinesDelivered(event) => {
                self.needs(&[Confirmed]);
                self.step(Step::Delivered, &event.lines);
                self.delivers_parcel(event.shipment_id.as_str());
            }
            OrderEvent::ReturnRequested(event) => {
                self.needs(&[Confirmed, Completed]);
                self.step(Step::ReturnRequested, &event.lines);
                self.asks_for_return(event);
            }
            OrderEvent::ReturnReceived(event) => {
                self.needs(&[Confirmed, Completed]);
                self.step(Step::Returned, &event.lines);
                self.receives_return(event.return_id.as_str(), &event.lines, event.amount);
            }
            OrderEvent::OrderCompleted(_) => {
                if !self.order.lines.all_settled() {
                    self.broken("while some of its units are neither delivered nor cancelled");
                }
                self.moves(&[Confirmed], Completed);
            }
            OrderEvent::OrderErased(_) => {
                self.needs(&[
                    Draft, Placed, Rejecting, Cancelling, Confirmed, Completed, Rejected, Cancelled,
                ]);
            }
        }
    }

    fn asks_to_cancel(&mut self, id: &str, lines: &[LineQuantity]) {
        let asked = self.asked(id, lines);
        self.order.cancellations.push(asked);
    }

    fn asks_for_return(&mut self, event: &ReturnRequested) {
        let asked = self.asked(event.return_id.as_str(), &event.lines);
        self.order.returns.push(asked);
    }

    fn asked(&self, id: &str, lines: &[LineQuantity]) -> Asked {
        Asked {
            id: id.into(),
            fingerprint: lines::fingerprint(lines::pairs(lines)),
            amount: None,
            at: self.at,
            settled_at: 0,
            declined: false,
            has_stock: self.order.lines.any_stocked(lines),
            stocked_at: 0,
        }
    }

    fn needs(&mut self, states: &[Status]) {
        if !states.contains(&self.order.status) {
            let state = self.order.status.name();
            self.broken(&format!("while it was {state}"));
        }
    }

    fn moves(&mut self, from: &[Status], to: Status) {
        self.needs(from);
        self.order.status = to;
        if to == Status::Placed {
            self.order.placed_at = self.at;
        }
        self.order.was_confirmed |= to == Status::Confirmed;
        self.order.since = self.at;
    }

    fn release(&mut self) {
        if !self.order.held {
            self.broken("though it was not held");
        }
        self.order.held = false;
    }

    fn settles_cancellation(&mut self, id: &str, lines: Option<&[LineQuantity]>) {
        let found = self.order.cancellations.iter_mut().find(|asked| *asked.id == *id);
        match settle(self.at, found, lines) {
            Ok(()) => {}
            Err(why) => self.broken(&format!("for cancellation `{id}`, which {why}")),
        }
    }

    fn receives_return(&mut self, id: &str, lines: &[LineQuantity], amount: i64) {
        let found = self.order.returns.iter_mut().find(|asked| *asked.id == *id);
        match settle(self.at, found, Some(lines)) {
            Ok(()) => {}
            Err(why) => self.broken(&format!("for return `{id}`, which {why}")),
        }
        if let Some(asked) = self.order.returns.iter_mut().find(|asked| *asked.id == *id) {
            asked.amount = Some(amount);
        }
    }

    fn records_parcel(&mut self, id: &str, lines: &[LineQuantity]) {
        let fingerprint = lines::fingerprint(lines::pairs(lines));
        let parcel = self.order.parcel_mut(id);
        let (left, again) = (parcel.left_at > 0, parcel.recorded);
        let same = parcel.fingerprint == fingerprint;
        parcel.recorded = true;
        if again {
            self.broken(&format!("for shipment `{id}` a second time"));
        } else if !left {
            self.broken(&format!("for shipment `{id}`, which never left the house"));
        } else if !same {
            self.broken(&format!("for shipment `{id}` with other units than left the house"));
        }
    }

    fn delivers_parcel(&mut self, id: &str) {
        let parcel = self.order.parcel_mut(id);
        let again = std::mem::replace(&mut parcel.delivered, true);
        if again {
            self.broken(&format!("for shipment `{id}` a second time"));
        }
    }

    fn step(&mut self, step: Step, lines: &[LineQuantity]) {
        for wrong in self.order.lines.step(step, lines) {
            let statement = format!("Order `{}`: after `{}` {wrong}.", self.id, self.event);
            self.report.at(Rule::Lines, &[self.at], statement);
        }
    }

    fn broken(&mut self, how: &str) {
        let statement = format!("Order `{}` had `{}` {how}.", self.id, self.event);
        self.report.at(Rule::States, &[self.at, self.order.since], statement);
    }
}

/// Settles what was asked, once, with the units that were asked for (`None`: with none of them).
fn settle(
    at: u64,
    asked: Option<&mut Asked>,
    lines: Option<&[LineQuantity]>,
) -> Result<(), &'static str> {
    let Some(asked) = asked else { return Err("nobody asked for") };
    if asked.settled_at > 0 {
        return Err("was settled before");
    }
    (asked.settled_at, asked.declined) = (at, lines.is_none());
    match lines {
        Some(lines) if lines::fingerprint(lines::pairs(lines)) != asked.fingerprint => {
            Err("was asked for with other units")
        }
        Some(_) | None => Ok(()),
    }
}

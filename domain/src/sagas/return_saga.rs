//! The return saga: when the parcel is back, the money goes back, and the units into stock or off the books.
//!
//! | # | step | kind |
//! |--|--|--|
//! | 1 | `refund_payment` | pivot; waits for the parcel; from more than one payment when one is not enough |
//! | 2 | `restock_return` or `write_off` | retriable |
//!
//! When a part of the order was settled by hand, nobody can tell from the log whose money a return gives back. So a person is
//! called before the refund: `retry` has the provider give back what it took, `resolve` settles the return by hand.

use std::sync::LazyLock;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::definition::{Answer, Ask, Definition, Did, Heard, Row};
use super::desk::Desk;
use super::order_facts::{OrderFacts, pairs};
use super::order_steps::without_outcome;
use super::process::{Process, Standing};
use super::purse::Purse;
use super::track::{Phase, Track};
use super::{EventContext, Outgoing, SagaId, SagaState, Timeouts};
use crate::command::Command;
use crate::event::Event;
use crate::ids::{OrderId, ReturnId};
use crate::inventory::{ReservationEvent, RestockReturn, SkuQuantity, WriteOff};
use crate::money::{Currency, Money};
use crate::orders::{OrderEvent, ReturnRequested};
use crate::payments::{Operation, PaymentEvent, RefundPayment, Unmet};

pub(super) static RETURN: LazyLock<Definition<Facts>> = LazyLock::new(|| {
    Definition::begin()
        .pivot(Row::new("refund_payment", refund_payment, refunded))
        .retriable(Row::new("restock_return", restock_return, stocked))
        .retriable(Row::new("write_off", write_off, stocked))
        .build()
});

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Received {
    amount: i64,
    restock: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    order_id: OrderId,
    return_id: ReturnId,
    currency: Currency,
    stock: Vec<SkuQuantity>,
    received: Option<Received>,
    refunded: i64,
    purse: Purse,
    occurred_at: DateTime<Utc>,
}

/// The return saga's own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ReturnSaga {
    facts: Facts,
    forward: Track,
}

impl Facts {
    /// What is still to be given back.
    fn open(&self) -> i64 {
        self.received.map_or(0, |received| received.amount - self.refunded)
    }

    fn is_ours(&self, unmet: &Unmet) -> bool {
        matches!(unmet, Unmet::Refund { return_id } if *return_id == self.return_id)
    }
}

fn refund_payment(facts: &Facts, _: Did) -> Ask {
    if facts.received.is_none() {
        return Ask::wait("the returned parcel to arrive");
    }
    let open = facts.open();
    if open <= 0 {
        return Ask::Nothing;
    }
    let (payment_id, amount) = facts.purse.refundable(open);
    Ask::send(RefundPayment {
        payment_id,
        order_id: facts.order_id.clone(),
        return_id: facts.return_id.clone(),
        amount: Money::new(amount, facts.currency),
    })
}

fn refunded(facts: &Facts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Payment(event) = heard.event else { return None };
    let ours = |return_id: &ReturnId| facts.return_id == *return_id;
    match event {
        PaymentEvent::PaymentRefunded(event) if ours(&event.return_id) => {
            Some(if facts.open() <= 0 { Answer::Done } else { Answer::Again })
        }
        PaymentEvent::PaymentSettledByHand(event) => {
            facts.is_ours(&event.unmet).then_some(Answer::Done)
        }
        PaymentEvent::RefundFailed(event) if ours(&event.return_id) => Some(Answer::Refused {
            code: event.code.as_str().to_owned(),
            retriable: event.retriable,
        }),
        PaymentEvent::PaymentOutcomeUnknown(event) => {
            let asked = event.operation == Operation::Refund;
            (heard.is_ours && asked).then(|| without_outcome(event))
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

fn is_restocked(facts: &Facts) -> bool {
    facts.received.is_some_and(|received| received.restock)
}

fn restock_return(facts: &Facts, _: Did) -> Ask {
    if facts.stock.is_empty() || !is_restocked(facts) {
        return Ask::Nothing;
    }
    let (order_id, return_id) = (facts.order_id.clone(), facts.return_id.clone());
    Ask::send(RestockReturn { order_id, return_id, lines: facts.stock.clone() })
}

fn write_off(facts: &Facts, _: Did) -> Ask {
    if facts.stock.is_empty() || is_restocked(facts) {
        return Ask::Nothing;
    }
    let (order_id, return_id) = (facts.order_id.clone(), facts.return_id.clone());
    Ask::send(WriteOff { order_id, return_id, lines: facts.stock.clone() })
}

fn stocked(facts: &Facts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Reservation(ReservationEvent::ReturnStocked(event)) = heard.event else {
        return None;
    };
    (event.return_id == facts.return_id).then_some(Answer::Done)
}

impl ReturnSaga {
    pub(super) fn start(
        order: &OrderFacts,
        purse: &Purse,
        requested: &ReturnRequested,
        context: &EventContext<'_>,
    ) -> Self {
        let facts = Facts {
            order_id: order.order_id.clone(),
            return_id: requested.return_id.clone(),
            currency: order.currency,
            stock: order.stock(pairs(&requested.lines)),
            received: None,
            refunded: 0,
            purse: purse.clone(),
            occurred_at: context.occurred_at,
        };
        Self { facts, forward: Track::new() }
    }

    pub(super) fn purse(&self) -> &Purse {
        &self.facts.purse
    }

    /// Why a person has to say how the money goes back, if one has to: before anything is asked of the provider for an order
    /// that was settled by hand in part, and when it has nothing left to give back.
    fn needs_person_first(&self) -> Option<&'static str> {
        let is_due = self.forward.at == 0 && self.forward.is_due() && self.facts.open() > 0;
        let purse = &self.facts.purse;
        if !is_due {
            None
        } else if self.forward.attempt == 1 && purse.is_settled_in_part() {
            Some("settled_by_hand")
        } else {
            (!purse.can_refund()).then_some("nothing_left_to_refund")
        }
    }
}

impl Process for ReturnSaga {
    fn fold(
        &mut self,
        id: &SagaId,
        event: &Event,
        context: &EventContext<'_>,
        timeouts: &Timeouts,
    ) {
        self.facts.purse.fold(event);
        let return_id = self.facts.return_id.clone();
        if let Event::Order(OrderEvent::ReturnReceived(event)) = event
            && event.return_id == return_id
        {
            let (amount, restock) = (event.amount, event.restock);
            self.facts.received = Some(Received { amount, restock });
            self.facts.occurred_at = context.occurred_at;
        }
        if let Event::Payment(PaymentEvent::PaymentRefunded(event)) = event
            && event.return_id == return_id
        {
            self.facts.refunded += event.amount.minor();
        }
        if let Event::Payment(PaymentEvent::PaymentSettledByHand(event)) = event
            && self.facts.is_ours(&event.unmet)
        {
            self.facts.refunded += event.amount.minor();
        }
        let desk = Desk {
            saga_id: id,
            part: None,
            occurred_at: self.facts.occurred_at,
            now: context.recorded_at,
        };
        let answer = self.forward.hear(RETURN.steps(), &self.facts, event, context, &desk);
        if let Some(Answer::Refused { retriable, .. }) = answer {
            self.forward.fail(retriable, context.recorded_at, timeouts);
        }
    }

    fn advance(&mut self, id: &SagaId, now: DateTime<Utc>) -> Vec<Outgoing> {
        if let Some(why) = self.needs_person_first() {
            self.forward.stop(why);
        }
        let desk = Desk { saga_id: id, part: None, occurred_at: self.facts.occurred_at, now };
        let mut send = self.forward.advance(RETURN.steps(), &self.facts, |_| Did::Never, &desk);
        if let Some(Outgoing { command: Command::SettlePaymentByHand(settle), .. }) = &mut send {
            // A person settles all that is open, not only what one payment could give back.
            settle.amount = Some(Money::new(self.facts.open(), self.facts.currency));
        }
        send.into_iter().collect()
    }

    fn on_time(&mut self, _now: DateTime<Utc>, _timeouts: &Timeouts) {}

    fn standings(&self) -> Vec<Standing<'_>> {
        vec![Standing::of(&self.forward, RETURN.steps(), &self.facts, |_| Did::Never)]
    }

    fn tracks(&mut self) -> Vec<&mut Track> {
        vec![&mut self.forward]
    }

    fn deadline(&self) -> Option<DateTime<Utc>> {
        None
    }

    fn over(&self) -> Option<SagaState> {
        (self.forward.phase == Phase::Ended).then_some(SagaState::Completed)
    }

    fn shift(&mut self, _by: Duration) {}
}

//! I7, I8 and law 2: payments by the log, operation by operation, and what an order owes.

mod due;
mod judge;
mod payments;

use std::collections::HashMap;

use domain::money::Currency;
use domain::orders::OrderEvent;
use domain::payments::Operation;

use crate::finding::Report;
use crate::names::NameId;
use crate::orders::Orders;

/// What became of an operation, by the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Open,
    Done,
    Failed,
}

/// An operation that the provider was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) operation: Operation,
    pub(crate) attempt: u32,
    pub(crate) amount: i64,
    pub(crate) outcome: Outcome,
    /// The position of the intent.
    pub(crate) at: u64,
    /// The shipment of a capture or the return of a refund.
    subject: Option<Box<str>>,
}

/// What a person settled by hand, because the provider did not do it.
#[derive(Debug)]
struct ByHand {
    operation: Operation,
    amount: i64,
    /// The shipment of a capture or the return of a refund.
    subject: Option<Box<str>>,
}

/// A payment.
#[derive(Debug, Default)]
pub(crate) struct Payment {
    order: NameId,
    currency: Option<Currency>,
    authorized: i64,
    captured: i64,
    voided: i64,
    refunded: i64,
    /// It was voided before anything was asked for it.
    given_up: bool,
    /// The provider has a name of its own for it: it is not the simulator, whose ledger can be read.
    has_reference: bool,
    asked: Vec<Asked>,
    by_hand: Vec<ByHand>,
    last: u64,
}

impl Payment {
    fn is_open(&self) -> bool {
        self.asked.iter().any(|asked| asked.outcome == Outcome::Open)
    }

    /// The amounts of what was done of this kind for a shipment or a return, by the provider or by hand.
    fn done_for<'p>(
        &'p self,
        operation: Operation,
        subject: &'p str,
    ) -> impl Iterator<Item = i64> + 'p {
        let about = move |of: Operation, whose: &Option<Box<str>>| {
            of == operation && whose.as_deref() == Some(subject)
        };
        let done = self.asked.iter().filter(move |asked| {
            asked.outcome == Outcome::Done && about(asked.operation, &asked.subject)
        });
        let by_hand = self.by_hand.iter().filter(move |one| about(one.operation, &one.subject));
        done.map(|asked| asked.amount).chain(by_hand.map(|one| one.amount))
    }

    /// What a person settled by hand of this kind.
    fn by_hand(&self, operation: Operation) -> i64 {
        let settled = self.by_hand.iter().filter(|one| one.operation == operation);
        settled.map(|one| one.amount).sum()
    }
}

/// What the payments of an order came to.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sums {
    pub(crate) authorized: i64,
    pub(crate) captured: i64,
    pub(crate) voided: i64,
    pub(crate) refunded: i64,
    /// What a person settled by hand of what the provider did not take.
    pub(crate) settled: i64,
    /// What a person settled by hand of what the provider did not give back.
    pub(crate) returned_by_hand: i64,
    /// True when the provider was asked something and the answer is not recorded.
    pub(crate) open: bool,
    /// The last position of a payment's event.
    pub(crate) last: u64,
}

/// All payments.
#[derive(Debug, Default)]
pub(crate) struct Money {
    payments: HashMap<Box<str>, Payment>,
    of_order: HashMap<NameId, Vec<Box<str>>>,
}

impl Money {
    /// Payments seen.
    pub(crate) fn payments(&self) -> usize {
        self.payments.len()
    }

    /// The operation of a payment with this attempt, and the payment's currency.
    pub(crate) fn asked(
        &self,
        payment_id: &str,
        operation: Operation,
        attempt: u32,
    ) -> Option<(&Asked, Option<Currency>)> {
        let payment = self.payments.get(payment_id)?;
        let same = |asked: &&Asked| asked.operation == operation && asked.attempt == attempt;
        payment.asked.iter().find(same).map(|asked| (asked, payment.currency))
    }

    /// Every operation of every payment of the provider that has the ledger, always in the same order.
    pub(crate) fn all_asked(&self) -> impl Iterator<Item = (&str, &Asked)> {
        self.asked_of(|payment| !payment.has_reference)
    }

    /// Every operation of every payment, always in the same order.
    pub(crate) fn everything_asked(&self) -> impl Iterator<Item = (&str, &Asked)> {
        self.asked_of(|_| true)
    }

    fn asked_of(&self, of: impl Fn(&Payment) -> bool) -> impl Iterator<Item = (&str, &Asked)> {
        let mut payments: Vec<_> = self.payments.iter().collect();
        payments.retain(|(_, payment)| of(payment));
        payments.sort_unstable_by_key(|(id, _)| *id);
        payments
            .into_iter()
            .flat_map(|(id, payment)| payment.asked.iter().map(move |asked| (&**id, asked)))
    }

    /// The sums over an order's payments.
    pub(crate) fn sums(&self, order: NameId) -> Sums {
        self.of(order).fold(Sums::default(), |sums, payment| Sums {
            authorized: sums.authorized + payment.authorized,
            captured: sums.captured + payment.captured,
            voided: sums.voided + payment.voided,
            refunded: sums.refunded + payment.refunded,
            settled: sums.settled + payment.by_hand(Operation::Capture),
            returned_by_hand: sums.returned_by_hand + payment.by_hand(Operation::Refund),
            open: sums.open || payment.is_open(),
            last: sums.last.max(payment.last),
        })
    }

    /// Whether a return that came to this was paid back, or a person settled it.
    pub(crate) fn is_paid_back(&self, order: NameId, return_id: &str, amount: i64) -> bool {
        let (_, paid_back) = self.done_for(order, Operation::Refund, return_id);
        let about = |one: &ByHand| {
            one.operation == Operation::Refund && one.subject.as_deref() == Some(return_id)
        };
        paid_back >= amount || self.of(order).any(|payment| payment.by_hand.iter().any(about))
    }

    fn of(&self, order: NameId) -> impl Iterator<Item = &Payment> {
        let ids = self.of_order.get(&order).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.payments.get(id))
    }

    /// What was taken for a shipment, or given back for a return, over all payments of an order: by the provider or by hand.
    fn done_for(&self, order: NameId, operation: Operation, subject: &str) -> (usize, i64) {
        let done = self.of(order).flat_map(|payment| payment.done_for(operation, subject));
        done.fold((0, 0), |(times, sum), amount| (times + 1, sum + amount))
    }

    /// An event of an order's stream, after the order's own facts know it.
    pub(crate) fn observe_order(
        &self,
        at: u64,
        event: &OrderEvent,
        orders: &Orders,
        report: &mut Report,
    ) {
        due::observe(self, at, event, orders, report);
    }

    /// The end of the log: per order, what was taken is what is due.
    pub(crate) fn finish(&self, orders: &Orders, report: &mut Report) {
        due::finish(self, orders, report);
    }
}

//! The sagas that the log began, and how it says that each has ended.

use std::collections::HashMap;

use domain::ids::{CancellationId, OrderId, ReturnId, SagaId};
use domain::sagas::{SagaKind, SagaState};

use crate::checker::Progress;
use crate::money::{Money, Sums};
use crate::names::NameId;
use crate::orders::{Asked, OrderFacts, Orders};

/// A saga that the log began.
#[derive(Debug)]
pub(super) struct Begun<'c> {
    pub(super) kind: SagaKind,
    /// The order, cancellation or return that it carries out.
    subject: &'c str,
    pub(super) order_id: &'c str,
    /// The position of the event that began it.
    pub(super) at: u64,
    /// How it has ended, and the position by which it surely had.
    ended: Option<(SagaState, u64)>,
}

impl Begun<'_> {
    /// How it had ended when the log was read up to a position.
    pub(super) fn ended_by(&self, position: u64) -> Option<SagaState> {
        self.ended.filter(|(_, by)| *by <= position).map(|(state, _)| state)
    }

    /// Whether a saga may be in this state that has read the log up to a position.
    pub(super) fn allows(&self, state: SagaState, position: u64) -> bool {
        match self.ended_by(position) {
            Some(end) => state == end,
            // The last event of a return is not told from one of the order's other payments.
            None if self.kind == SagaKind::Return && self.ended.is_some() => {
                matches!(state, SagaState::Completed) || !state.is_ended()
            }
            None => !state.is_ended(),
        }
    }

    /// Such as ``Order `o1` ``.
    pub(super) fn named(&self) -> String {
        let Self { kind, subject, order_id, .. } = self;
        match kind {
            SagaKind::Order => format!("Order `{order_id}`"),
            SagaKind::Cancellation => format!("Cancellation `{subject}` of order `{order_id}`"),
            SagaKind::Return => format!("Return `{subject}` of order `{order_id}`"),
        }
    }

    /// How far it is, in words, in the log up to a position.
    pub(super) fn standing(&self, position: u64) -> &'static str {
        match (self.ended_by(position), self.kind) {
            (Some(SagaState::Compensated), SagaKind::Cancellation) => "declined",
            (Some(SagaState::Compensated), SagaKind::Order | SagaKind::Return) => "undone",
            (Some(_), _) => "carried out",
            (None, _) => "under way",
        }
    }

    /// The position that shows it.
    pub(super) fn shown_at(&self) -> u64 {
        self.ended.map_or(self.at, |(_, by)| by)
    }

    fn id(&self) -> Option<String> {
        let subject = self.subject;
        let id = match self.kind {
            SagaKind::Order => SagaId::of_order(&OrderId::parse(subject).ok()?),
            SagaKind::Cancellation => {
                SagaId::of_cancellation(&CancellationId::parse(subject).ok()?)
            }
            SagaKind::Return => SagaId::of_return(&ReturnId::parse(subject).ok()?),
        };
        Some(id.as_str().to_owned())
    }
}

/// All of them, by their ids.
pub(super) fn all<'c>(orders: &'c Orders, money: &Money) -> HashMap<String, Begun<'c>> {
    let mut all = HashMap::new();
    let mut add = |begun: Begun<'c>| {
        if let Some(id) = begun.id() {
            all.insert(id, begun);
        }
    };
    for (id, facts) in orders.all().into_iter().filter(|(_, facts)| facts.placed_at > 0) {
        let order_id = orders.names.name(id);
        add(Begun {
            kind: SagaKind::Order,
            subject: order_id,
            order_id,
            at: facts.placed_at,
            ended: end_of_order(facts),
        });
        for asked in &facts.cancellations {
            add(of(SagaKind::Cancellation, asked, order_id, end_of_cancellation(asked)));
        }
        for asked in &facts.returns {
            add(of(SagaKind::Return, asked, order_id, end_of_return(asked, id, money)));
        }
    }
    all
}

fn of<'c>(
    kind: SagaKind,
    asked: &'c Asked,
    order_id: &'c str,
    ended: Option<(SagaState, u64)>,
) -> Begun<'c> {
    Begun { kind, subject: &asked.id, order_id, at: asked.at, ended }
}

fn end_of_order(facts: &OrderFacts) -> Option<(SagaState, u64)> {
    match Progress::of(facts)? {
        Progress::UnderWay => None,
        Progress::Completed => Some((SagaState::Completed, facts.since)),
        Progress::Undone => Some((SagaState::Compensated, facts.since)),
    }
}

fn end_of_cancellation(asked: &Asked) -> Option<(SagaState, u64)> {
    let end = if asked.declined { SagaState::Compensated } else { SagaState::Completed };
    (asked.settled_at > 0).then_some((end, asked.settled_at))
}

/// It ends when the parcel is back, its money is paid back, and its units are in stock again or off the books.
fn end_of_return(asked: &Asked, order: NameId, money: &Money) -> Option<(SagaState, u64)> {
    let amount = asked.amount?;
    let is_done =
        money.is_paid_back(order, &asked.id, amount) && (!asked.has_stock || asked.stocked_at > 0);
    let Sums { last, .. } = money.sums(order);
    is_done.then_some((SagaState::Completed, asked.settled_at.max(asked.stocked_at).max(last)))
}

//! Finds every stream that a command will look at, in one go.
//!
//! A decision halts at the first stream that is not loaded. Loading one stream a round would make a command of many
//! lines slow, so it is decided once more as if the missing streams were empty, only to see where it looks. What it
//! decides then is thrown away: this never makes a decision.

use std::cell::RefCell;
use std::collections::HashSet;

use domain::command::Command;
use domain::decide::{Context, Decide, Entry, State, States, View};
use domain::stream::Stream;

/// The streams that `command` looks at and that `states` does not have.
pub(super) fn missing_streams(
    command: &Command,
    states: &dyn States,
    context: &Context,
) -> HashSet<Stream> {
    let pretending =
        Pretending { states, absent: AbsentStates::new(), missing: RefCell::default() };
    // Whatever it decides on pretended states means nothing.
    drop(command.decide(&View::new(&pretending), context));
    pretending.missing.into_inner()
}

struct Pretending<'s> {
    states: &'s dyn States,
    absent: AbsentStates,
    missing: RefCell<HashSet<Stream>>,
}

impl States for Pretending<'_> {
    fn entry(&self, stream: &Stream) -> Option<&Entry> {
        self.states.entry(stream).or_else(|| {
            self.missing.borrow_mut().insert(stream.clone());
            Some(self.absent.of(stream))
        })
    }
}

/// The state of an empty stream of every kind.
struct AbsentStates {
    product: Entry,
    customer: Entry,
    stock: Entry,
    reservation: Entry,
    order: Entry,
    payment: Entry,
    shipment: Entry,
    commands: Entry,
}

impl AbsentStates {
    fn new() -> Self {
        let empty = |state| Entry { version: 0, state };
        Self {
            product: empty(State::Product(domain::catalog::Product::default())),
            customer: empty(State::Customer(domain::customers::Customer::default())),
            stock: empty(State::Stock(domain::inventory::Stock::default())),
            reservation: empty(State::Reservation(domain::inventory::Reservation::default())),
            order: empty(State::Order(domain::orders::Order::default())),
            payment: empty(State::Payment(domain::payments::Payment::default())),
            shipment: empty(State::Shipment(domain::shipping::Shipment::default())),
            commands: empty(State::Commands),
        }
    }

    fn of(&self, stream: &Stream) -> &Entry {
        match stream {
            Stream::Product(_) => &self.product,
            Stream::Customer(_) => &self.customer,
            Stream::Stock(_) => &self.stock,
            Stream::Reservation(_) => &self.reservation,
            Stream::Order(_) => &self.order,
            Stream::Payment(_) => &self.payment,
            Stream::Shipment(_) => &self.shipment,
            Stream::Commands(_) | Stream::Operations(_) => &self.commands,
        }
    }
}

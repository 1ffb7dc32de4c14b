//! How a decision is made: a command looks at the states that it needs and answers with events or a refusal.
//!
//! The states are read through a [`View`], which remembers every stream that was looked at. A stream that is not loaded
//! yet halts the decision with [`Halt::Missing`]; the caller loads it and decides again. So a command needs no list of
//! what it will read, the read set is exact, and the domain stays free of I/O.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasher;

use chrono::{DateTime, Utc};

use crate::catalog::Product;
use crate::customers::Customer;
use crate::event::Event;
use crate::ids::{CustomerId, OrderId, PaymentId, ShipmentId, Sku};
use crate::inventory::{Reservation, Stock};
use crate::orders::Order;
use crate::payments::Payment;
use crate::refusal::Refusal;
use crate::shipping::Shipment;
use crate::stream::Stream;

/// A state that is the fold of a stream's events.
pub trait Aggregate: Default {
    /// The events of its stream.
    type Event;
    /// The state after `event`. Never fails: what is in the log has happened.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;
}

/// What the outside tells a decision.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The wall clock. Business time stands in the metadata and decides nothing.
    pub now: DateTime<Utc>,
}

/// Why a decision gave no events.
#[derive(Debug, Clone, PartialEq)]
pub enum Halt {
    /// The state of this stream has to be loaded first.
    Missing(Stream),
    /// The command may not be carried out; nothing happens.
    Refused(Refusal),
    /// The command has to wait for another that is under way, and is to be sent again. Not a refusal.
    Busy,
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What can be asked of the platform.
pub trait Decide {
    /// The stream whose version the answer names and `If-Match` speaks of.
    fn target(&self) -> Stream;

    /// Streams that the decision is known to read, to be loaded ahead in one go. A hint: [`Halt::Missing`] finds the rest.
    fn reads(&self) -> Vec<Stream> {
        vec![self.target()]
    }

    /// The events that follow; none when everything is so already.
    fn decide(&self, view: &View<'_>, context: &Context) -> Result<Vec<Event>, Halt>;
}

macro_rules! states {
    ($($name:ident($state:ty): $id:ty => $read:ident, $events:ident),+ $(,)?) => {
        /// The state of one stream.
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum State {
            $(#[doc = concat!("Of a stream of ", stringify!($name), ".")] $name($state),)+
            /// Of a stream that only records.
            Commands,
        }

        impl State {
            /// The state of a stream without events.
            pub fn absent(stream: &Stream) -> Self {
                match stream {
                    $(Stream::$name(_) => Self::$name(<$state>::default()),)+
                    Stream::Commands(_) | Stream::Operations(_) => Self::Commands,
                }
            }

            /// The state after `event`; an event of another kind of stream changes nothing.
            #[must_use]
            pub fn evolve(self, event: &Event) -> Self {
                match (self, event) {
                    $((Self::$name(state), Event::$events(event)) => Self::$name(state.evolve(event)),)+
                    (state, _) => state,
                }
            }
        }

        impl<'s> View<'s> {
            $(#[doc = concat!("The state of `", stringify!($read), "`; its default when the stream has no events.")]
            pub fn $read(&self, id: &$id) -> Result<&'s $state, Halt> {
                let stream = Stream::$name(id.clone());
                match self.state(&stream)? {
                    State::$name(state) => Ok(state),
                    _ => Err(Halt::Missing(stream)),
                }
            })+
        }
    };
}

states! {
    Product(Product): Sku => product, Product,
    Customer(Customer): CustomerId => customer, Customer,
    Stock(Stock): Sku => stock, Stock,
    Reservation(Reservation): OrderId => reservation, Reservation,
    Order(Order): OrderId => order, Order,
    Payment(Payment): PaymentId => payment, Payment,
    Shipment(Shipment): ShipmentId => shipment, Shipment,
}

/// A loaded state and the version of the stream that it is the fold of.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Number of events folded.
    pub version: u64,
    /// Their fold.
    pub state: State,
}

/// Where loaded states are found.
pub trait States {
    /// The entry of a stream, if it is loaded.
    fn entry(&self, stream: &Stream) -> Option<&Entry>;
}

impl<H: BuildHasher> States for HashMap<Stream, Entry, H> {
    fn entry(&self, stream: &Stream) -> Option<&Entry> {
        self.get(stream)
    }
}

/// The states as one decision sees them; remembers what was looked at.
pub struct View<'s> {
    states: &'s dyn States,
    read: RefCell<Vec<Stream>>,
}

impl<'s> View<'s> {
    /// A view of these states that has looked at nothing yet.
    pub fn new(states: &'s dyn States) -> Self {
        Self { states, read: RefCell::default() }
    }

    /// The streams that were looked at, each once, in the order of the first look.
    pub fn into_reads(self) -> Vec<Stream> {
        let mut seen = std::collections::HashSet::new();
        let mut reads = self.read.into_inner();
        reads.retain(|stream| seen.insert(stream.clone()));
        reads
    }

    fn state(&self, stream: &Stream) -> Result<&'s State, Halt> {
        match self.states.entry(stream) {
            Some(entry) => {
                self.read.borrow_mut().push(stream.clone());
                Ok(&entry.state)
            }
            None => Err(Halt::Missing(stream.clone())),
        }
    }
}

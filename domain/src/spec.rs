//! Tests that read as sentences: given events, when a command, then events or a refusal.
//!
//! ```
//! use domain::{catalog::{ProductDiscontinued, DiscontinueProduct}, ids::Sku, spec::given};
//! # use domain::{catalog::ProductRegistered, money::{Money, Currency}, text::Label};
//! # let sku = Sku::parse("22423").unwrap();
//! # let registered = ProductRegistered { sku: sku.clone(), name: Label::parse("Cakestand").unwrap(),
//! #     unit_price: Money::new(1275, Currency::parse("GBP").unwrap()), stocked: true };
//! given([registered])
//!     .when(DiscontinueProduct { sku: sku.clone(), reason: None })
//!     .then([ProductDiscontinued { sku, reason: None }]);
//! ```

use std::collections::HashMap;

use chrono::{DateTime, TimeZone, Utc};

use crate::decide::{Context, Decide, Entry, Halt, State, View};
use crate::event::Event;
use crate::refusal::Refusal;
use crate::stream::Stream;

/// What has happened before.
#[derive(Debug, Clone)]
pub struct Given {
    states: HashMap<Stream, Entry>,
    now: DateTime<Utc>,
}

/// What a command came to.
#[derive(Debug)]
pub struct When {
    outcome: Result<Vec<Event>, Halt>,
    after: Given,
}

/// Starts from these events, of any streams.
pub fn given<E: Into<Event>>(events: impl IntoIterator<Item = E>) -> Given {
    let now = Utc.with_ymd_and_hms(2010, 12, 1, 8, 26, 0).single().unwrap_or_default();
    Given { states: HashMap::new(), now }.and(events)
}

/// Starts from nothing.
pub fn given_nothing() -> Given {
    given::<Event>([])
}

impl Given {
    /// And these events after them.
    #[must_use]
    pub fn and<E: Into<Event>>(mut self, events: impl IntoIterator<Item = E>) -> Self {
        for event in events {
            let event = event.into();
            let stream = event.stream();
            let entry = self.entry(&stream);
            let state = std::mem::replace(&mut entry.state, State::Commands).evolve(&event);
            *entry = Entry { version: entry.version + 1, state };
        }
        self
    }

    /// With the wall clock at this time.
    #[must_use]
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        self.now = now;
        self
    }

    /// Decides the command.
    #[expect(clippy::needless_pass_by_value, reason = "a sentence hands the command over")]
    pub fn when(mut self, command: impl Decide) -> When {
        let context = Context { now: self.now };
        let outcome = loop {
            match command.decide(&View::new(&self.states), &context) {
                Err(Halt::Missing(stream)) => {
                    self.entry(&stream);
                }
                outcome => break outcome,
            }
        };
        let events = outcome.clone().unwrap_or_default();
        When { outcome, after: self.and(events) }
    }

    fn entry(&mut self, stream: &Stream) -> &mut Entry {
        self.states
            .entry(stream.clone())
            .or_insert_with(|| Entry { version: 0, state: State::absent(stream) })
    }
}

impl When {
    /// Exactly these events follow.
    ///
    /// # Panics
    /// When something else follows.
    #[track_caller]
    pub fn then<E: Into<Event>>(self, expected: impl IntoIterator<Item = E>) -> Given {
        let expected: Vec<Event> = expected.into_iter().map(Into::into).collect();
        assert_eq!(self.outcome, Ok(expected));
        self.after
    }

    /// Nothing follows: it is so already.
    #[track_caller]
    pub fn then_nothing(self) -> Given {
        self.then::<Event>([])
    }

    /// The command is refused, for this reason.
    ///
    /// # Panics
    /// When it is not, or for another.
    #[track_caller]
    pub fn then_refused(self, expected: &Refusal) -> Given {
        assert_eq!(self.outcome, Err(Halt::Refused(expected.clone())));
        self.after
    }

    /// The command has to wait for another.
    ///
    /// # Panics
    /// When it has not.
    #[track_caller]
    pub fn then_busy(self) -> Given {
        assert_eq!(self.outcome, Err(Halt::Busy));
        self.after
    }

    /// The events that followed; for property tests.
    pub fn events(&self) -> &[Event] {
        self.outcome.as_deref().unwrap_or_default()
    }

    /// The states afterwards, whatever the outcome; for property tests.
    pub fn after(self) -> Given {
        self.after
    }
}

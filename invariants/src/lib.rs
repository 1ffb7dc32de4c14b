//! What must be true of a whole log, checked event by event in position order.
//!
//! This is a second opinion: it folds events by itself and shares no decision and no aggregate with the domain, so that
//! a mistake made there is seen here. It reads no file and knows no service.
//!
//! **Invariant:** the checker never changes what it looks at, and a log that the platform may write has no finding.

#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]

mod answers;
mod checker;
mod finding;
mod followers;
mod intents;
mod journal;
mod ledger;
mod money;
mod names;
mod order_of_log;
mod orders;
mod saga_tables;
mod sagas;
mod stock;

pub use answers::{Append, Appends};
pub use checker::{Checker, PlacedOrder, Progress};
pub use finding::{Counts, Finding, Report, Rule};
pub use followers::{Follower, Followers};
pub use journal::{Answered, Asked, Journal, JournalLine, Misplaced, Seen};
pub use ledger::{LedgerRow, LedgerStatus};
pub use saga_tables::{SagaRow, SagaTables, SentCommand};

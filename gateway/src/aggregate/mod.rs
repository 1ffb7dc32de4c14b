//! Answers that several services have a part in. A part that can't be had now is left out and named; the rest is there.

mod ask;
mod dashboard;
mod overview;
mod parts;
mod routes;

pub use ask::Behind;
pub use routes::{aggregates, aggregates_described};

//! The read models as pure folds: `(row, event) → row`, one file a model.
//!
//! No I/O, no clock. **Invariant:** a row depends on the events of its key alone, in position order, so any batching
//! gives the same rows; a new event type breaks every fold that reads its context.
#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]

pub mod customers;
pub mod fold;
pub mod order_row;
pub mod orders;
pub mod payments;
pub mod products;
pub mod sales;
pub mod shipments;
pub mod stock;

pub use fold::{FoldError, Seen};

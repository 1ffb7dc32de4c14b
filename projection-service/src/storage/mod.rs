//! The read models in SQLite or PostgreSQL: one file or schema a generation of a projector, and a catalog of which
//! generation is live.
//!
//! All SQL of this crate is here, a constant a statement. **Invariant:** a model's rows and its checkpoint change in
//! one transaction.

pub mod catalog;
pub mod checkpoint;
pub mod customers;
pub mod digest;
mod documents;
pub mod generation;
pub mod home;
mod order_keys;
pub mod order_list;
pub mod orders;
pub mod parked;
pub mod payments;
pub mod products;
mod rows;
pub mod sales;
pub mod sales_report;
pub mod shipments;
pub mod stock;

//! The order domain: what may happen to orders, stock, payments and parcels, and what follows.
//!
//! Pure: no I/O, no clock, no randomness, no async. Time and ids come in with the command. A decision reads states
//! through a [`decide::View`], which remembers what it read, so that the append can check that nothing of it changed.
//!
//! **Invariant:** `decide` is the only place that refuses; `evolve` never fails; [`personal::Personal`] never holds
//! clear text.
#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]

pub mod catalog;
pub mod command;
pub mod contact;
pub mod customers;
pub mod decide;
pub mod event;
pub mod figures;
pub mod given;
pub mod ids;
pub mod inventory;
pub mod money;
pub mod operations;
pub mod orders;
pub mod payments;
pub mod personal;
pub mod refusal;
pub mod sagas;
pub mod shipping;
pub mod spec;
pub mod stream;
pub mod text;

//! Customers: who may order, and how they are reached.

mod events;

pub use events::*;

//! Inventory: the stock of every SKU, and what each order holds of it.
//!
//! Two kinds of streams move together, in one append: `stock-{sku}` counts units, `reservation-{order}` remembers what
//! an order took, so that it can be given back or shipped exactly once.

mod events;

pub use events::*;

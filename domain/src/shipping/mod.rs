//! Shipping: parcels of an order, from created to delivered.

mod events;

pub use events::*;

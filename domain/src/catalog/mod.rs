//! The catalog: products, their prices, whether they are kept in stock.

mod events;

pub use events::*;

//! Orders: from a cart to the last parcel and what comes back.

mod events;

pub use events::*;

//! Payments: authorize at checkout, capture at shipment, refund on return.
//!
//! Money moves at a provider, so every movement is two events: the intent before the provider is called, and the
//! outcome after. An outcome that can't be known yet is an event of its own, never a guess.

mod events;

pub use events::*;

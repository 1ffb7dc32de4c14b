//! What stands around a payment provider: so many questions at a time, a circuit breaker, a deadline, and a check of what
//! it answers. Around every provider, whichever it is.
//!
//! **Invariant:** a question that is held back here was not asked, and is never taken for an outcome; an answer of another
//! amount than was asked is never taken for done.

mod breaker;
mod guarded;

pub use breaker::BreakerSettings;
pub(super) use guarded::{Guarded, Question, Verdict};

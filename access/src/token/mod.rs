//! Tokens: how one is taken apart, what it must say, and what becomes of it.

mod claims;
mod parts;
mod refused;
mod verifier;

pub(crate) use claims::is_name;
pub use refused::Refused;
pub use verifier::Verifier;

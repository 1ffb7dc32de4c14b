//! The keys of an issuer: what they are, where they come from, when they are asked for anew, and what signs in its name.

mod held;
mod key_set;
mod signing;
mod source;

pub(crate) use held::Keys;
pub(crate) use signing::SigningKey;
pub(crate) use source::read_secret;

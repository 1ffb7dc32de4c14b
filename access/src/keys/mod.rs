//! The keys of an issuer: what they are, where they come from, and when they are asked for anew.

mod held;
mod key_set;
mod source;

pub(crate) use held::Keys;
pub(crate) use source::read_secret;

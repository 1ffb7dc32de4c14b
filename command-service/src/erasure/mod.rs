//! Erasing a person: the event first, then the key. What was cut off between the two, by a crash or by a key store that
//! failed, is finished at the next start and again and again while it runs.
//!
//! **Invariant:** a person whose erasure is in the log has no key, or an open intent says that it must still be
//! destroyed; nobody is told that they are erased before the key is gone. How far the log was looked through for that is
//! noted in the key store, so that one put back from a backup is noticed.

mod eraser;
mod open;
mod replay;
#[cfg(test)]
mod tests;

pub(crate) use eraser::Eraser;
pub use open::open_erasures;
pub(crate) use open::{OpenErasure, begun, ended};
pub use replay::{erased_person, replay_erasures};

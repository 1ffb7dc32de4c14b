//! Plain inserts into SQLite, and plain reads of a log in it.

mod bulk;
mod copy;
mod reads;

pub(super) use bulk::bulk;
pub(crate) use copy::copied;
pub(super) use reads::{pages, streamed};

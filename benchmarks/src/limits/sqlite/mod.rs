//! Plain inserts into SQLite, and plain reads of a log in it.

mod bulk;
mod reads;

pub(super) use bulk::bulk;
pub(super) use reads::{pages, streamed};

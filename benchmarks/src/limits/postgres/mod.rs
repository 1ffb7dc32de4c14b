//! Plain inserts into PostgreSQL, and plain reads of a log in it.

mod bulk;
mod group;
mod reads;
mod singly;
mod table;

pub(super) use bulk::bulk;
pub(super) use group::{Group, Writes, in_groups};
pub(super) use reads::{pages, streamed};
pub(super) use singly::singly;
pub(super) use table::create;

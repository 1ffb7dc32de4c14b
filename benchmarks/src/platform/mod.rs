//! Docket as it is measured: one process, or every service for itself. Decided here and nowhere else: who runs where.

mod distributed;
mod embedded;
mod process;
mod running;

pub(crate) use process::{Process, docket};
pub(crate) use running::{Kind, PATIENCE, Platform, free_address, until_ready};

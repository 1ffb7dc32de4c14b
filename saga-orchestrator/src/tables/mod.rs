//! Where sagas are kept, as the runner sees it: a contract, its conformance suite, and a backend in memory. The one in SQL
//! is [`crate::storage`].
//!
//! **Invariant:** what one transaction writes is seen whole or not at all.

#[cfg(test)]
mod conformance;
mod contract;
mod memory;
mod memory_rows;

pub(crate) use contract::{Committing, Rows, Tables};
pub use memory::{Access, Disk, MemoryTables};

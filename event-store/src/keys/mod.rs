//! Keys of personal data: one per person, in a store of their own, so that destroying one erases the person everywhere.

mod cache;
mod check;
mod contract;
mod inserter;
mod master;
mod sql;
mod vault;

pub mod memory;
pub mod postgres;
pub mod sqlite;

pub use check::{CheckError, is_bound};
pub use contract::{DataKey, KeyError, KeyState, KeyStore, MasterCheck, Tombstone};
pub use master::MasterKey;
pub use vault::{OpenError, SealError, Sealed, Vault};

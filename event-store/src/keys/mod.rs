//! Keys of personal data: one per person, in a store of their own, so that destroying one erases the person everywhere.

mod contract;
mod vault;

pub mod memory;
pub mod sqlite;

pub use contract::{DataKey, KeyError, KeyState, KeyStore};
pub use vault::{MasterKey, OpenError, SealError, Sealed, Vault};

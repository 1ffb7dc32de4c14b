//! Customers: who may order, and how they are reached.

mod block_customer;
mod change_contact;
mod customer;
mod erase_customer;
mod events;
#[cfg(test)]
pub(crate) mod fixtures;
mod register_customer;

pub use block_customer::BlockCustomer;
pub use change_contact::ChangeContact;
pub use customer::Customer;
pub use erase_customer::EraseCustomer;
pub use events::*;
pub use register_customer::RegisterCustomer;

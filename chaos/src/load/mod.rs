//! Customers of a small shop: what they ask for, what they write down, and how they insist.

mod client;
mod journal;
mod parcels;
mod shop;
mod tally;
mod wishes;

pub(crate) use client::{CONFLICTS, Load};
pub(crate) use journal::JournalFile;
pub(crate) use shop::furnish;
pub(crate) use tally::Tally;
pub(crate) use wishes::Wish;

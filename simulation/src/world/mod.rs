//! The platform and the world around it: what runs, what breaks, who asks, what must be true.

mod actors;
mod clients;
mod faults;
mod orchestrators;
mod owner;
mod parking;
mod projectors;
mod reading_faults;
mod services;
mod state;
mod supervisor;
mod verdict;

pub(crate) use state::{World, Writer};

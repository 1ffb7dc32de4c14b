//! The platform and the world around it: what runs, what breaks, who asks, what must be true.

mod actors;
mod clients;
mod faults;
mod orchestrators;
mod services;
mod state;
mod verdict;

pub(crate) use state::{World, Writer};

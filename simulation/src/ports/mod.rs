//! What the platform stands on, in memory and unreliable: the log, its feed, the command queue, the payment provider and the
//! disk of the sagas.

mod disk;
mod feed;
mod heads;
mod log;
mod provider;
mod queue;

pub(crate) use disk::FaultyDisk;
pub(crate) use feed::FaultyFeed;
pub(crate) use heads::Heads;
pub(crate) use log::FaultyLog;
pub(crate) use provider::{Bank, BankAccess};
pub(crate) use queue::{Broker, BrokerAccess};

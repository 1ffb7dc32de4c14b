//! What the platform stands on, in memory and unreliable: the log, its feed, the broker of events, the command queue, the payment provider, the
//! disks of the sagas and of the read models.

mod build;
mod built_on;
mod carrier;
mod disk;
mod feed;
mod heads;
mod late;
mod log;
mod model_disk;
mod provider;
mod queue;

pub(crate) use build::Build;
pub(crate) use carrier::{CarrierAccess, EventBroker, Stray};
pub(crate) use disk::FaultyDisk;
pub(crate) use feed::FaultyFeed;
pub(crate) use heads::Heads;
pub(crate) use late::Late;
pub(crate) use log::FaultyLog;
pub(crate) use model_disk::FaultyModelDisk;
pub(crate) use provider::{Bank, BankAccess};
pub(crate) use queue::{Broker, BrokerAccess};

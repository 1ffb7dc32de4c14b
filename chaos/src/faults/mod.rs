//! What is done to a platform. Each ends when everything is healed and has been seen to work again.

pub(crate) mod broker;
pub(crate) mod clocks;
pub(crate) mod database;
pub(crate) mod disk;
pub(crate) mod kills;
pub(crate) mod leases;
pub(crate) mod load;
pub(crate) mod network;
pub(crate) mod pauses;
pub(crate) mod poison;
pub(crate) mod provider;
pub(crate) mod restore;
pub(crate) mod upgrade;

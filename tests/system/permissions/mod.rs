//! Who may say and hear what over NATS, with the very files that `deploy/nats/` has for the servers.

mod lacking;
mod platform;
mod table;
mod wire;

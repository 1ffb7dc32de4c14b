//! What breaks things from outside.

pub(crate) mod children;
pub(crate) mod own_clock;
pub(crate) mod provider_gate;
pub(crate) mod small_disk;
pub(crate) mod strace;
pub(crate) mod webhook_receiver;

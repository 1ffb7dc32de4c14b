//! What breaks things from outside.

pub(crate) mod children;
pub(crate) mod database;
pub(crate) mod small_disk;
pub(crate) mod strace;

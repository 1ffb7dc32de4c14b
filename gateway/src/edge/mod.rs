//! The protective edge: headers for browsers, compression, other origins, what is old.

mod compression;
mod deprecations;
mod entrance;
mod guard;
mod headers;
mod origins;

pub use entrance::{Entrance, EntranceSettings, Guarding};
pub(crate) use guard::Guard;
pub use origins::Origin;

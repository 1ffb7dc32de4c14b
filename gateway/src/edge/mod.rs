//! The protective edge: compression, other origins, what is old; and what browsers are told (`service_kit::browsers`).

mod compression;
mod deprecations;
mod entrance;
mod guard;
mod origins;

pub use entrance::{Entrance, EntranceSettings, Guarding};
pub(crate) use guard::Guard;
pub use origins::Origin;

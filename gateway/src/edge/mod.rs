//! The protective edge: headers for browsers, compression, other origins, what is old.

mod deprecations;
mod entrance;
mod headers;
mod origins;

pub use entrance::{Entrance, EntranceSettings};
pub use origins::Origin;

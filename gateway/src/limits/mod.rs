//! How much everybody may ask, and what is answered to whoever asks more.

mod address;
mod admission;
mod buckets;
mod cost;
mod limiter;
mod rate;
mod tokens;
mod visit;

pub use address::TrustedProxies;
pub use admission::{Admission, FarBehind};
pub(crate) use limiter::Charged;
pub use limiter::{LimitSettings, Limiter};
pub use rate::{Limit, Rate};
pub(crate) use visit::{CameFrom, Identified};

//! The one entrance before the services.
//!
//! It knows which service answers a path, where the processes of each are and how they do, and hands requests on to them. It
//! does not know what a request means: no order, no event, no database; whoever comes is asked who they are here, and what
//! they may is decided by the service.
//!
//! **Invariant:** a request is carried out once, or it may be repeated without harm; whatever became of it is said as it is.

mod aggregate;
mod bodies;
mod description;
mod discovery;
mod edge;
mod limits;
mod local;
mod passage;
mod places;
mod routes;
mod services;
mod upstream;
mod watching;
mod whose;

pub use aggregate::{Behind, aggregates, aggregates_described};
pub use description::description;
pub use discovery::{Discovery, Dns, follow};
pub use edge::{Entrance, EntranceSettings, Guarding, Origin};
pub use limits::{Admission, FarBehind, Limit, LimitSettings, Limiter, Rate, TrustedProxies};
pub use local::LocalServices;
pub use passage::Passage;
pub use routes::{Service, is_command};
pub use services::{Addresses, Services};
pub use upstream::{Base, Client, NoBase, Policy};

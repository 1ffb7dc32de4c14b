//! Who asks, and what they may do.
//!
//! A token becomes a [`Principal`] in [`Verifier::verify`] and nowhere else; what it may do is decided in [`authorize`] and nowhere
//! else. It is not about HTTP: `service-kit` has the edge, and each service says which action a route is.
//!
//! **Invariant:** whatever is not granted is refused: an unknown issuer, algorithm, key or role, and an action that no role of the
//! principal has.

mod action;
mod authorize;
mod issue;
mod keys;
mod principal;
mod role;
mod settings;
mod this_machine;
mod token;

pub use action::Action;
pub use authorize::{Denied, Reach, Resource, authorize};
pub use issue::{IssueError, Signer, Wanted};
pub use principal::{Known, Principal};
pub use role::Role;
pub use settings::{AuthSettings, SettingsError};
pub use this_machine::is_this_machine;
pub use token::{Refused, Verifier};

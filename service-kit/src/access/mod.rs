//! The edge of `access`: from a request's header to who asks, and from a route to the action that it is.
//!
//! **Invariant:** a route that says what it needs is reached by nobody before that was decided, whatever stands before the service; one
//! that is behind no guard at all answers 500 and does nothing.

mod caller;
mod described;
mod guard;
mod needs;

pub use caller::Caller;
pub use described::{SCHEME, describe_plain, scheme};
pub use guard::{Access, RELIES};
pub use needs::Needs;

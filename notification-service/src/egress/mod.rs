//! The way out: requests to addresses that strangers chose.
//!
//! **Invariant:** nothing is connected to before its address was checked, and what is connected to is the very address that was
//! checked: a name is resolved once, by [`resolver`], and no answer is asked for again. No redirect is followed, no proxy is asked,
//! and no answer is read beyond its beginning.

mod answered;
mod names;
mod networks;
mod public_address;
mod resolver;
mod sender;
mod unanswered;

pub use names::{Names, SystemNames};
pub use networks::{Networks, NoNetwork};
pub use sender::{EgressError, EgressSettings};

pub(crate) use answered::Answered;
pub(crate) use sender::Sender;
pub(crate) use unanswered::Unanswered;

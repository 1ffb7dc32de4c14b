//! The relay: copies the log into the stream of events, so that a message's sequence in the stream is the event's
//! position in the log.
//!
//! It has no state of its own. It continues after the stream's last sequence; what the stream lost, or never had, it
//! publishes again. A message that is not the log's event of that position makes it build the stream anew.
//!
//! **Invariant:** every publish names the sequence that it expects before it. So two relays never interleave, and no
//! event stands in the stream twice or at another's place.

mod inspect;
mod publish;
mod run;
mod window;

pub use publish::ContextOf;
pub use run::{Relay, RelaySettings};

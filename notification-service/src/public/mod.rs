//! Public events: what the outside world is told. Fewer than the stored events, and smaller: no personal data, no free text of
//! people, nothing about how the platform works inside.
//!
//! **Invariant:** a public event is made of one stored event and of what its order was placed with, and of nothing else: made again
//! of the same log it is the same, byte for byte.

mod cloud_event;
mod event;
mod notice;
mod order_facts;
mod payloads;
mod publisher;

pub use cloud_event::CloudEvent;
pub use event::{PublicEvent, PublicType};
pub use notice::NoticeKind;
pub use order_facts::OrderFacts;
pub use payloads::*;
pub use publisher::{is_published, publish};

pub(crate) use publisher::is_noticed;

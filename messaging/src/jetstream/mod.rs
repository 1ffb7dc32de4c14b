//! The backend of many processes: NATS with JetStream between them.
//!
//! The owner of a log runs a [`Relay`], an [`Announcer`] and a [`HistoryServer`] over one [`OwnedLog`]; whoever reads
//! has a [`JetStreamFeed`]. They decide everything, and reach NATS through a [`Carrier`] only. Commands go from a
//! [`JetStreamQueue`] to a [`CommandConsumer`].
//!
//! **Invariant:** JetStream carries copies and wake-ups. Every stream may be lost, rewound or wiped at any moment, and
//! is made anew from SQL.

mod announcements;
mod ask;
mod availability;
mod backoff;
mod carrier;
mod commands;
mod connection;
mod envelope;
mod epochs;
mod feed;
mod history;
mod login;
mod names;
mod nats_carrier;
mod owner;
mod refusals;
mod relay;
mod services;
mod streams;
mod sync_setting;
mod trouble;

pub use announcements::{Announcement, Announcer};
pub use ask::{AskError, ask, serve};
pub use availability::{NotCarried, carries_events};
pub use carrier::{
    Acknowledged, Answer, Asked, Carrier, CarrierError, Coming, Incoming, Lost, Outgoing,
    PublishError, Publisher, Question,
};
pub use commands::{CommandConsumer, ConsumerSettings, JetStreamQueue, Parked, Parking};
pub use connection::{ConnectionError, ConnectionSettings, TlsFiles, connect};
pub use envelope::{EnvelopeError, Received, decode, encode};
pub use feed::JetStreamFeed;
pub use history::{HistoryClient, HistoryError, HistoryServer, Page};
pub use login::{Login, LoginError};
pub use names::Names;
pub use nats_carrier::NatsCarrier;
pub use owner::{EpochKeeper, OwnedLog};
pub use relay::{ContextOf, Relay, RelaySettings};
pub use services::{FindError, RegisterError, Registered, Registration, register, registered};
pub use streams::{CommandsSettings, EventsSettings};
pub use sync_setting::{SyncSetting, tell_sync_setting};

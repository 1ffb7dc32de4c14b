//! Tells the outside world: public events, to webhooks with signatures, to browsers as they happen, and to customers by mail.
//!
//! It follows the feed, makes public events of stored ones, keeps what each endpoint and the customers are to be told beside its
//! checkpoint, and tells it, again and again, until it is taken or three days are over.
//!
//! **Invariant:** nobody is told of what is not in the log; what an endpoint wants it is told at least once, and of one order in the
//! order in which it happened.

mod book;
mod delivery;
mod egress;
mod ends;
mod fold;
mod http;
mod hub;
mod mail;
mod mark;
mod run_error;
mod service;
mod settings;
mod status;
mod storage;
mod streams;
mod webhooks;

pub mod public;

pub use delivery::Schedule;
pub use egress::{EgressError, EgressSettings, Names, Networks, NoNetwork, SystemNames};
pub use mail::{
    InvalidSender, InvalidServer, MailError, MailServer, MailSettings, SenderAddress,
    TemplateError, Templates,
};
pub use mark::mark;
pub use service::{Notifications, StartError};
pub use settings::Settings;
pub use status::{Phase, Status};

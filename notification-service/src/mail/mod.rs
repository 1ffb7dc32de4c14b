//! Mail to customers: what happens to their orders, by SMTP.
//!
//! **Invariant:** whom a mail goes to is looked up in the log and opened when it is sent, and is nowhere but in memory until then: not
//! in the database, not in a log line, not in a metric, not in an error. What a mail server answers is reduced to its number,
//! because it likes to repeat the address.

mod addressee;
mod answer;
mod mailer;
mod message;
mod server;
mod settings;
mod smtp;
mod templates;
mod values;

pub use message::{InvalidSender, SenderAddress};
pub use server::{InvalidServer, MailServer};
pub use settings::MailSettings;
pub use smtp::MailError;
pub use templates::{TemplateError, Templates};

pub(crate) use answer::{Step, Unsent};
pub(crate) use mailer::Mailer;

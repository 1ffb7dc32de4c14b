//! What the platform and its processes are told: by flags, the environment, a settings file, or nobody.
//!
//! Every key is an argument of the command line, with a variable; [`layers`] reads the settings file as more words of that
//! line. So all three ways are checked alike, and there is one list of keys.

mod borrowed;
mod file;
mod layers;
mod mail;
mod missing;
mod print;
mod redacted;
mod secret;
mod settings;
mod sources;
mod tls;
mod webhooks;

pub(crate) use layers::{Misunderstood, Understood, understand};
pub(crate) use mail::MailArgs;
pub(crate) use missing::{WrongSettings, all_there, needed};
pub(crate) use print::ConfigArgs;
pub(crate) use secret::secret;
pub(crate) use settings::{EntranceArgs, LogFormat, ProcessArgs, Settings, listen_address};
pub(crate) use sources::Setting;
pub(crate) use tls::{ClientTlsArgs, ServerTlsArgs};
pub(crate) use webhooks::WebhookArgs;

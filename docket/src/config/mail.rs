//! How customers get mail, in the words of every process that sends it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Error, Result};
use event_store::keys::Vault;
use notification_service::public::NoticeKind;
use notification_service::{MailServer, MailSettings, Schedule, SenderAddress, Templates};

use super::missing::WrongSettings;
use super::secret::read;
use super::webhooks::schedule;
use crate::numbers::whole;

/// How customers get mail.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[expect(clippy::struct_field_names, reason = "each is a flag of processes that have others")]
pub(crate) struct MailArgs {
    /// Mail server for mail to customers: `smtps://HOST[:PORT]`, or `smtp://HOST[:PORT]`, which is sealed by STARTTLS unless, on this machine, `?tls=off` follows
    /// [default: customers get no mail]
    #[arg(long, env = "DOCKET_MAIL_SERVER", value_name = "URL", value_parser = MailServer::parse)]
    mail_server: Option<MailServer>,
    /// Whom mail is from, such as `Shop <orders@shop.example>`
    #[arg(long, env = "DOCKET_MAIL_FROM", value_name = "ADDRESS", value_parser = SenderAddress::parse)]
    mail_from: Option<SenderAddress>,
    /// User at the mail server [default: it asks for none]
    #[arg(long, env = "DOCKET_MAIL_USER", value_name = "USER")]
    mail_user: Option<String>,
    /// File with the password at the mail server
    #[arg(long, env = "DOCKET_MAIL_PASSWORD_FILE", value_name = "FILE")]
    mail_password_file: Option<PathBuf>,
    /// File with certificates (PEM) that vouch for the mail server beside those that this machine trusts
    #[arg(long, env = "DOCKET_MAIL_CA_FILE", value_name = "FILE")]
    mail_ca_file: Option<PathBuf>,
    /// Of what customers get a mail, separated by commas
    #[arg(long, env = "DOCKET_MAIL_NOTICES", value_name = "TYPES", value_parser = notice, value_delimiter = ',',
        default_value = "order.confirmed,order.rejected,order.lines_cancelled,order.cancelled,parcel.shipped,parcel.delivered,payment.refunded")]
    mail_notices: Vec<NoticeKind>,
    /// Folder with templates that take the place of the built-in ones of the same name, such as `parcel_shipped.txt`
    #[arg(long, env = "DOCKET_MAIL_TEMPLATES", value_name = "DIR")]
    mail_templates: Option<PathBuf>,
    /// Milliseconds that the mail server may take for a mail
    #[arg(long, env = "DOCKET_MAIL_DEADLINE_MS", value_name = "MS", default_value = "30000",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    mail_deadline_ms: u64,
    /// Seconds between the attempts to send a mail, separated by commas; after the last it is given up
    #[arg(long, env = "DOCKET_MAIL_RETRIES_S", value_name = "SECONDS", value_parser = schedule,
        default_value = "5,300,1800,7200,18000,36000,50400,72000,86400")]
    mail_retries_s: Schedule,
}

/// Mail as it was set, and is seen to be right.
#[derive(Clone)]
pub(crate) struct Mail {
    args: MailArgs,
    server: MailServer,
    from: SenderAddress,
    credentials: Option<(String, String)>,
    templates: Arc<Templates>,
}

impl MailArgs {
    /// What was set, with passwords and templates read; `None` when customers get no mail.
    pub(crate) fn resolve(&self) -> Result<Option<Mail>> {
        let wrong = |told: &str| WrongSettings(told.to_owned());
        let Some(server) = self.mail_server.clone() else {
            let others = [self.mail_from.is_some(), self.mail_user.is_some()];
            if others.contains(&true) {
                return Err(wrong(
                    "mail_from and mail_user need mail_server: without it there is no mail",
                )
                .into());
            }
            return Ok(None);
        };
        let no_sender = || wrong("mail_server is set, and mail_from is not: whom is mail from?");
        let from = self.mail_from.clone().ok_or_else(no_sender)?;
        let credentials = match (&self.mail_user, &self.mail_password_file) {
            (Some(user), Some(path)) => Some((user.clone(), read("mail_password_file", path)?)),
            (None, None) => None,
            _ => {
                return Err(wrong(
                    "mail_user and mail_password_file are set together or not at all",
                )
                .into());
            }
        };
        if credentials.is_some() && server.is_clear() {
            return Err(wrong("mail_server says ?tls=off: the password would go in clear").into());
        }
        let templates = Templates::load(self.mail_templates.as_deref());
        // With all that is wrong with it.
        let templates = templates.map_err(|error| wrong(&format!("{:#}", Error::new(error))))?;
        let templates = Arc::new(templates);
        Ok(Some(Mail { args: self.clone(), server, from, credentials, templates }))
    }
}

impl Mail {
    /// The settings with these, with what opens addresses.
    pub(crate) fn with(self, vault: Arc<Vault>) -> MailSettings {
        let Self { args, server, from, credentials, templates } = self;
        MailSettings {
            server,
            credentials,
            authorities: args.mail_ca_file,
            from,
            notices: args.mail_notices,
            templates,
            vault,
            schedule: args.mail_retries_s,
            deadline: Duration::from_millis(args.mail_deadline_ms),
        }
    }
}

fn notice(text: &str) -> Result<NoticeKind, String> {
    NoticeKind::named(text.trim()).ok_or_else(|| {
        let known: Vec<_> = NoticeKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("is nothing that customers get a mail of; there are {}", known.join(", "))
    })
}

//! How mail goes out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use event_store::keys::Vault;

use super::message::SenderAddress;
use super::server::MailServer;
use super::templates::Templates;
use crate::delivery::Schedule;
use crate::public::NoticeKind;

/// How mail goes out.
#[derive(Clone)]
pub struct MailSettings {
    /// Where the mail server is.
    pub server: MailServer,
    /// User and password, where it asks for them.
    pub credentials: Option<(String, String)>,
    /// A file with further certificates (PEM) that vouch for it.
    pub authorities: Option<PathBuf>,
    /// Whom mail is from.
    pub from: SenderAddress,
    /// Of what customers get a mail.
    pub notices: Vec<NoticeKind>,
    /// What it says.
    pub templates: Arc<Templates>,
    /// What opens addresses.
    pub vault: Arc<Vault>,
    /// When what was not taken is tried again.
    pub schedule: Schedule,
    /// How long a mail may take to be sent, all of it.
    pub deadline: Duration,
}

impl std::fmt::Debug for MailSettings {
    /// Without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailSettings").field("server", &self.server).finish_non_exhaustive()
    }
}

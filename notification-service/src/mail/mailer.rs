//! Makes a mail of a notice and sends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use messaging::feed::Feed;
use service_kit::clock::Clock;

use super::addressee::Addressees;
use super::answer::Unsent;
use super::message::{compose, message_id};
use super::settings::MailSettings;
use super::smtp::{MailError, Smtp};
use super::values::Told;
use crate::delivery::Schedule;
use crate::public::NoticeKind;
use crate::storage::Claimed;

/// Makes mails and sends them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer(Arc<Parts>);

struct Parts {
    settings: MailSettings,
    addressees: Addressees,
    smtp: Smtp,
    clock: Clock,
    /// The last attempt failed as any other would.
    is_down: AtomicBool,
}

impl Mailer {
    pub(crate) fn new(
        settings: MailSettings,
        feed: Arc<dyn Feed>,
        clock: Clock,
    ) -> Result<Self, MailError> {
        let smtp = Smtp::new(&settings)?;
        let addressees = Addressees { feed, vault: Arc::clone(&settings.vault) };
        let is_down = AtomicBool::new(false);
        Ok(Self(Arc::new(Parts { settings, addressees, smtp, clock, is_down })))
    }

    /// Whether customers get a mail of this.
    pub(crate) fn tells(&self, kind: NoticeKind) -> bool {
        self.0.settings.notices.contains(&kind)
    }

    /// When what was not taken is tried again.
    pub(crate) fn schedule(&self) -> &Schedule {
        &self.0.settings.schedule
    }

    /// How long a mail may take to be sent.
    pub(crate) fn deadline(&self) -> std::time::Duration {
        self.0.settings.deadline
    }

    /// What a notice is called wherever a mail of it goes.
    pub(crate) fn message_id(&self, event_id: &str) -> String {
        message_id(event_id, &self.0.settings.from)
    }

    /// Sends the mail of a notice; the SMTP status with which it was taken.
    pub(crate) async fn send(&self, claimed: &Claimed) -> Result<u16, Unsent> {
        let sent = self.write_and_send(claimed).await;
        self.say(sent);
        sent
    }

    async fn write_and_send(&self, claimed: &Claimed) -> Result<u16, Unsent> {
        let Parts { settings, addressees, smtp, clock, .. } = &*self.0;
        let kind = NoticeKind::named(&claimed.event_type).ok_or(Unsent::NotWritten)?;
        let told = Told::read(&claimed.body).map_err(|_| Unsent::NotWritten)?;
        let customer_id = told.customer_id().ok_or(Unsent::NoAddress)?;
        let to = addressees.of(customer_id).await?;
        let words = settings.templates.fill_in(kind, &told.values(to.name.as_deref()));
        let words = words.map_err(|_| Unsent::NotWritten)?;
        let mail = compose(&settings.from, to.address, &claimed.event_id, clock(), words)?;
        smtp.send(&mail).await
    }

    /// Says once that no mail gets through, and once that it does again.
    fn say(&self, sent: Result<u16, Unsent>) {
        match sent {
            Err(unsent) if unsent.is_about_all() => {
                if !self.0.is_down.swap(true, Ordering::Relaxed) {
                    let status = unsent.status();
                    tracing::warn!(error = %unsent, status, "mail can't be sent now; it is tried again");
                }
            }
            Ok(_) if self.0.is_down.swap(false, Ordering::Relaxed) => {
                tracing::info!("mail is sent again");
            }
            Ok(_) | Err(_) => {}
        }
    }
}

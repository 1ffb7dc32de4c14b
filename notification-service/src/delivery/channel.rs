//! Where something is told.

use std::sync::Arc;
use std::time::Duration;

use crate::mail::Mailer;
use crate::storage::MAIL;
use crate::webhooks::Endpoint;

/// Mails that are sent at the same time, at most.
const MAILS_AT_ONCE: usize = 4;

/// Where something is told: each has a queue of its own, and room of its own.
#[derive(Clone)]
pub(super) enum Channel {
    /// A webhook.
    Webhook(Arc<Endpoint>),
    /// The customers, by mail.
    Mail(Mailer),
}

impl Channel {
    /// The name of its queue.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Webhook(endpoint) => &endpoint.id,
            Self::Mail(_) => MAIL,
        }
    }

    /// Attempts that may be under way there at the same time; `per_endpoint` at each webhook.
    pub(super) fn room(&self, per_endpoint: usize) -> usize {
        match self {
            Self::Webhook(_) => per_endpoint,
            Self::Mail(_) => MAILS_AT_ONCE,
        }
    }

    /// How long an attempt may take; `posting` at a webhook.
    pub(super) fn deadline(&self, posting: Duration) -> Duration {
        match self {
            Self::Webhook(_) => posting,
            Self::Mail(mailer) => mailer.deadline(),
        }
    }
}

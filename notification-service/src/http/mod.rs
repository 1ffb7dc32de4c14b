//! `/webhooks…`, `/mails…`, `/notices…`

mod answers;
mod api;
mod change_webhook;
mod delete_webhook;
mod deliveries;
mod look;
mod mail_answers;
mod mails;
mod mark_notices;
mod notices;
mod once;
mod redeliver;
mod register_webhook;
mod resend;
mod rotate_secret;
mod router;
mod waiting;

pub(crate) use api::{Api, ApiParts};
pub(crate) use router::router;

//! `/webhooks…`

mod answers;
mod api;
mod change_webhook;
mod delete_webhook;
mod deliveries;
mod look;
mod redeliver;
mod register_webhook;
mod rotate_secret;
mod router;

pub(crate) use api::{Api, ApiParts};
pub(crate) use router::router;

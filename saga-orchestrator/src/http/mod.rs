//! The API of sagas: look, understand, retry, resolve. Parsing and answering only.

mod act;
mod answers;
mod api;
mod explain_saga;
mod get_saga;
mod list_sagas;
mod record;
mod resolve_saga;
mod retry_saga;
mod router;

pub(crate) use answers::{ActedSaga, SagaItem};
pub(crate) use api::{Api, Desk};
pub(crate) use router::router;

//! Endpoints: who wants to be told, where, of what, and with which signature.

mod endpoint;
mod filter;
mod secret;
mod secret_box;
mod signature;
mod url;

pub(crate) use endpoint::{Endpoint, EndpointState, Secrets};
pub(crate) use filter::Filter;
pub(crate) use secret::Secret;
pub(crate) use secret_box::SecretBox;
pub(crate) use signature::signed_headers;
pub(crate) use url::parse_url;

//! TLS: whom a process shows itself as, and whom it takes others for.
//!
//! **Invariant:** a connection that was made with TLS has a peer whose certificate was signed by who the settings name, and is of the
//! name that was asked for. Nothing is ever spoken in clear because TLS failed.

mod client;
mod expiry;
mod own;
mod pem;
mod provider;
mod server;

pub use rustls::ClientConfig;

pub use client::{ClientTlsError, ClientTlsFiles, Trust, client_config};
pub use own::config_for_own;
pub use server::{ServerTls, ServerTlsFiles};

//! Who is let in: whom the settings name, or on the loopback, where nobody else comes, everybody.
//!
//! **Invariant:** nothing listens where others can reach it without asking who comes.

use std::net::SocketAddr;

use access::{AuthSettings, Verifier};
use anyhow::{Context as _, Result};
use service_kit::access::Access;
use service_kit::clock;
use service_kit::health::Health;

use crate::config::{ProcessArgs, WrongSettings};

/// How a process that listens here lets in.
pub(crate) async fn entrance(process: &ProcessArgs, address: SocketAddr) -> Result<Access> {
    let Some(path) = &process.auth_file else {
        return on_loopback(address).map(|()| Access::open());
    };
    let wrong = |told: &str| WrongSettings::new(told);
    let settings = AuthSettings::read(path);
    let settings = settings.with_context(|| wrong("who is let in can't be read"))?;
    let verifier = Verifier::start(settings, clock::system()).await;
    let verifier = verifier.with_context(|| wrong("whose tokens are taken can't be read"))?;
    Ok(Access::tokens(verifier))
}

fn on_loopback(address: SocketAddr) -> Result<()> {
    if address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let told = format!(
        "{address} can be reached from other machines, and nobody would be asked who they are: say whose tokens are taken \
         with --auth-file, DOCKET_AUTH_FILE or auth_file in the settings file (docs/security.md), or listen on 127.0.0.1"
    );
    Err(WrongSettings::new(told).into())
}

/// Says it in the health.
pub(crate) fn say(access: &Access, health: &Health) {
    health.lets_in(if access.is_open() { "anybody" } else { "tokens" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tokens_there_is_listening_on_the_loopback_only() {
        for inside in ["127.0.0.1:8080", "127.9.9.9:1", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
            assert!(on_loopback(inside.parse().unwrap()).is_ok(), "{inside}");
        }
        for outside in ["0.0.0.0:8080", "[::]:8080", "10.0.0.7:8080", "[::ffff:10.0.0.7]:8080"] {
            let said = on_loopback(outside.parse().unwrap()).unwrap_err().to_string();
            assert!(said.contains("--auth-file"), "{said}");
        }
    }
}

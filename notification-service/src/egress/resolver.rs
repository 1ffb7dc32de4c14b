//! The connector's own resolver: what it returns is what is connected to.
//!
//! **Invariant:** of a name with one address that may not be reached none is returned: an answer that mixes them is no honest one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::names::Names;
use super::networks::{Networks, Reach, Refused};

/// Resolves names for connections of one reach.
pub(super) struct CheckedNames {
    pub(super) names: Arc<dyn Names>,
    pub(super) networks: Arc<Networks>,
    pub(super) reach: Reach,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, networks) = (Arc::clone(&self.names), Arc::clone(&self.networks));
        let reach = self.reach;
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found = names.addresses(name.clone()).await;
            let found = found.map_err(|why| NotResolved { name: name.clone(), why })?;
            if found.is_empty() {
                return Err(Refused::NoAddress(name).into());
            }
            for address in &found {
                networks.check(*address, reach)?;
            }
            // Port 0 is that of the URL.
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// Whoever knows the addresses of names does not tell those of this one.
#[derive(Debug, thiserror::Error)]
#[error("the name `{name}` can't be resolved")]
pub(super) struct NotResolved {
    pub(super) name: String,
    #[source]
    why: io::Error,
}

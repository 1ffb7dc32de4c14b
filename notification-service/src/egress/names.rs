//! Which addresses a name has.

use std::io;
use std::net::{IpAddr, SocketAddr};

use futures::future::BoxFuture;

/// Whoever knows the addresses of names. It may answer each time anew: what is done with an answer is not asked for again.
pub trait Names: Send + Sync + 'static {
    /// The addresses of a name.
    fn addresses(&self, name: String) -> BoxFuture<'_, io::Result<Vec<IpAddr>>>;
}

/// The names as this machine knows them.
#[derive(Debug, Clone, Copy)]
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, name: String) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address: SocketAddr| address.ip()).collect())
        })
    }
}

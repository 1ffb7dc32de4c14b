//! The one place where a process listens: its address, and whether TLS is spoken there.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use axum::extract::Request;
use axum::response::Response;
use service_kit::access::Access;
use service_kit::host::{OwnNames, only_by};
use service_kit::server::{Ending, ServerSettings, serve};
use service_kit::tls::ServerTls;
use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tower::Service;

use crate::config::ProcessArgs;

/// Connections that may wait to be taken, as far as the system allows it (`net.core.somaxconn`): as many as come at once when a
/// thousand browsers come back. What comes beyond that is not refused but not heard, and tries again a second later.
const NOT_TAKEN_YET: u32 = 4096;

/// An address that is listened at. Nobody is answered yet.
pub(crate) struct Listening {
    listener: TcpListener,
    /// The address.
    pub(crate) address: SocketAddr,
    names: OwnNames,
    tls: Option<ServerTls>,
}

impl Listening {
    /// Listens where the settings say. Certificates that can't be used are said before that.
    pub(crate) async fn begin(process: &ProcessArgs) -> Result<Self> {
        let tls = process.tls.start()?;
        let listener = listen(&process.listen).await;
        let listener = listener.map_err(|error| cannot_listen(&process.listen, error))?;
        let address = listener.local_addr()?;
        let names = OwnNames::at(&process.listen, address);
        Ok(Self { listener, address, names, tls })
    }

    /// Where it can be asked.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Answers until it is told to end, and what is under way then. Where everybody may everything, only what comes by a name of this
    /// machine's own.
    pub(crate) async fn serve<S>(self, service: S, access: &Access, ending: Ending)
    where
        S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let service = only_by(access.is_open().then_some(self.names), service);
        serve(self.listener, service, ServerSettings::default(), self.tls, ending).await;
    }
}

/// Listens at the first address of a host and port at which that can be done.
async fn listen(told: &str) -> io::Result<TcpListener> {
    let mut why = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in lookup_host(told).await? {
        match listen_at(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => why = error,
        }
    }
    Err(why)
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // What listened here a moment ago keeps nobody out.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(NOT_TAKEN_YET)
}

/// Why there is no listening: someone else does, or the system's own words.
fn cannot_listen(address: &str, error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::AddrInUse {
        return anyhow!("{address} is taken by another program; choose another with --listen");
    }
    anyhow!(error).context(format!("can't listen on {address}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::try_join_all;
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_crowd_that_comes_at_once_is_not_left_standing() {
        let listener = listen("localhost:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
        let most = most.and_then(|most| most.trim().parse().ok()).unwrap_or(128);
        // Nobody takes any of them meanwhile.
        let crowd = (0..most.min(300)).map(|_| TcpStream::connect(address));
        let there = tokio::time::timeout(Duration::from_secs(20), try_join_all(crowd)).await;
        assert_eq!(there.unwrap().unwrap().len(), most.min(300));
    }
}

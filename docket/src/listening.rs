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
use tokio::net::TcpListener;
use tower::Service;

use crate::config::ProcessArgs;

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
        let listener = TcpListener::bind(&process.listen).await;
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

/// Why there is no listening: someone else does, or the system's own words.
fn cannot_listen(address: &str, error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::AddrInUse {
        return anyhow!("{address} is taken by another program; choose another with --listen");
    }
    anyhow!(error).context(format!("can't listen on {address}"))
}

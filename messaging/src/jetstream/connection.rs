//! The connection to NATS: made once, and kept for ever.
//!
//! **Invariant:** nothing here ends because NATS is away. The client is there at once and connects when it can.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ClientError, ConnectOptions, Event};

use super::backoff::{delay, jittered};
use super::login::{Login, LoginError, log_in};
use super::names;
use super::refusals::Refusals;
use super::trouble::Trouble;

/// The wait before the second try to connect, and the longest one.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// A connection that stays silent for two of these is given up.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How often is looked whether the connection is still there.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long connecting, and any request, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where NATS is.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// Addresses such as `nats://host:4222`, separated by commas; `tls://` for TLS,
    /// `nats://user:password@host` to log in.
    pub servers: String,
    /// How it logs in.
    pub login: Login,
    /// How the server is known, and this client to the server.
    pub tls: TlsFiles,
    /// The service that connects: what the server shows of it, and what the subjects of its answers are named after, so that
    /// permissions can keep every other service from hearing them.
    pub service: String,
}

/// Files in PEM form, for TLS. It is spoken when an address says `tls://`, when the server asks for it, and always when one
/// of these is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Who signed the server's certificate; without it, whoever this machine trusts.
    pub authority: Option<PathBuf>,
    /// This client's certificate and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    fn all(&self) -> impl Iterator<Item = &Path> {
        let client = self.client.iter().flat_map(|(certificate, key)| [certificate, key]);
        self.authority.iter().chain(client).map(PathBuf::as_path)
    }
}

impl ConnectionSettings {
    /// Without a login and files.
    pub fn new(servers: &str, service: &str) -> Self {
        Self {
            servers: servers.to_owned(),
            login: Login::default(),
            tls: TlsFiles::default(),
            service: service.to_owned(),
        }
    }
}

/// Why no client could be made. A server that is away is no reason.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// Nobody can log in so.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A file of TLS can't be read.
    #[error("the file {path} for TLS with NATS can't be read")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The addresses make no sense.
    #[error("NATS can't be reached at the given addresses")]
    Addresses(#[source] async_nats::ConnectError),
}

/// A client that connects in the background, and again whenever the connection is lost.
pub async fn connect(settings: &ConnectionSettings) -> Result<Client, ConnectionError> {
    let options = ConnectOptions::new();
    let (options, identity) = log_in(options, &settings.login, &settings.servers).await?;
    let options = with_tls(options, &settings.tls).await?;
    let servers: Vec<&str> = settings.servers.split(',').map(str::trim).collect();
    let refusals = Refusals::of(identity);
    options
        .name(format!("docket {}", settings.service))
        .custom_inbox_prefix(names::inbox(&settings.service))
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(wait_before)
        .connection_timeout(PATIENCE)
        .request_timeout(Some(PATIENCE))
        .ping_interval(PING_EVERY)
        .event_callback(move |event| {
            tell(&event, &refusals);
            std::future::ready(())
        })
        .connect(servers)
        .await
        .map_err(ConnectionError::Addresses)
}

/// A file that is missing is said now: the client would only try again and again.
async fn with_tls(
    mut options: ConnectOptions,
    files: &TlsFiles,
) -> Result<ConnectOptions, ConnectionError> {
    for path in files.all() {
        let read = tokio::fs::read(path).await;
        read.map_err(|source| ConnectionError::Tls { path: path.to_owned(), source })?;
        options = options.require_tls(true);
    }
    if let Some(path) = &files.authority {
        options = options.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &files.client {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

/// Whether there is a connection now.
pub(super) fn is_there(client: &Client) -> bool {
    client.connection_state() == State::Connected
}

/// Whether the connection was lost. What is asked now stays in the client until there is another, and whoever asks would wait for that. The
/// first connection is about to be made, as far as anybody knows.
pub(super) fn is_away(client: &Client) -> bool {
    client.connection_state() == State::Disconnected
}

/// What is said to whoever asks then.
pub(super) const AWAY: &str = "the connection to NATS was lost";

/// Waits until there is a connection.
pub(super) async fn there(client: &Client) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    while !is_there(client) {
        looks.tick().await;
    }
}

/// Ends once this connection is lost: what was asked over it is never answered.
pub(super) fn lost(client: &Client) -> impl Future<Output = ()> + Send + use<> {
    let client = client.clone();
    let before = connects(&client);
    async move {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        // A connection that was lost and found between two looks is another one too.
        while is_there(&client) && connects(&client) == before {
            looks.tick().await;
        }
    }
}

fn connects(client: &Client) -> u64 {
    client.statistics().connects.load(Ordering::Relaxed)
}

/// Works until the connection is lost.
pub(super) fn while_there<T>(
    client: &Client,
    work: impl Future<Output = Result<T, Trouble>>,
) -> impl Future<Output = Result<T, Trouble>> {
    until_lost(lost(client), Box::pin(work))
}

/// Works until it is told that the connection is lost.
pub(super) async fn until_lost<T>(
    lost: impl Future<Output = ()>,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    tokio::select! {
        biased;
        done = work => done,
        () = lost => Err(Trouble::Odd("the connection to NATS was lost".to_owned())),
    }
}

/// The first try to come back is at once.
fn wait_before(attempt: usize) -> Duration {
    match u32::try_from(attempt).unwrap_or(u32::MAX) {
        0 | 1 => Duration::ZERO,
        failures => jittered(delay(FIRST_WAIT, LONGEST_WAIT, failures - 2)),
    }
}

fn tell(event: &Event, refusals: &Refusals) {
    match event {
        Event::Connected => tracing::info!("connected to NATS"),
        Event::Disconnected => tracing::warn!("NATS is away; it is tried until it is back"),
        Event::SlowConsumer(_) => {
            tracing::warn!("messages were dropped because they came faster than they were read");
        }
        Event::ServerError(error) => refusals.tell(&error.to_string()),
        // Beside this, all that is told so is that a server is away.
        Event::ClientError(error) if is_refusal(error) => refusals.tell(&error.to_string()),
        other => tracing::debug!(event = %other, "NATS"),
    }
}

/// Whether a server that answers did not let this client in.
fn is_refusal(error: &ClientError) -> bool {
    matches!(error, ClientError::Other(text) if text.contains("authorization violation"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_at_once_and_then_ever_more_slowly() {
        assert_eq!(wait_before(1), Duration::ZERO);
        assert!(wait_before(2) <= FIRST_WAIT);
        assert!((LONGEST_WAIT / 2..=LONGEST_WAIT).contains(&wait_before(1_000_000)));
    }
}

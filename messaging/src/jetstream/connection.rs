//! The connection to NATS: made once, and kept for ever.
//!
//! **Invariant:** nothing here ends because NATS is away. The client is there at once and connects when it can.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event};

use super::backoff::{delay, jittered};
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
    /// A file with JWT and seed, as `nsc` writes it.
    pub credentials: Option<PathBuf>,
    /// What the server shows of this client.
    pub name: String,
}

impl ConnectionSettings {
    /// Without credentials.
    pub fn new(servers: &str, name: &str) -> Self {
        Self { servers: servers.to_owned(), credentials: None, name: name.to_owned() }
    }
}

/// Why no client could be made. A server that is away is no reason.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The credentials can't be read.
    #[error("the credentials file {path} can't be read")]
    Credentials {
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
    let mut options = ConnectOptions::new();
    if let Some(path) = &settings.credentials {
        options = options
            .credentials_file(path)
            .await
            .map_err(|source| ConnectionError::Credentials { path: path.clone(), source })?;
    }
    let servers: Vec<&str> = settings.servers.split(',').map(str::trim).collect();
    options
        .name(&settings.name)
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(wait_before)
        .connection_timeout(PATIENCE)
        .request_timeout(Some(PATIENCE))
        .ping_interval(PING_EVERY)
        .event_callback(|event| async move { tell(&event) })
        .connect(servers)
        .await
        .map_err(ConnectionError::Addresses)
}

/// Waits until there is a connection.
pub(super) async fn there(client: &Client) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    while client.connection_state() != State::Connected {
        looks.tick().await;
    }
}

/// Works until the connection is lost: what was asked over it is never answered.
pub(super) fn while_there<T>(
    client: &Client,
    work: impl Future<Output = Result<T, Trouble>>,
) -> impl Future<Output = Result<T, Trouble>> {
    let work = Box::pin(work);
    let connects = || client.statistics().connects.load(Ordering::Relaxed);
    let before = connects();
    let lost = async move {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        // A connection that was lost and found between two looks is another one too.
        while client.connection_state() == State::Connected && connects() == before {
            looks.tick().await;
        }
    };
    async move {
        tokio::select! {
            done = work => done,
            () = lost => Err(Trouble::Odd("the connection to NATS was lost".to_owned())),
        }
    }
}

/// The first try to come back is at once.
fn wait_before(attempt: usize) -> Duration {
    match u32::try_from(attempt).unwrap_or(u32::MAX) {
        0 | 1 => Duration::ZERO,
        failures => jittered(delay(FIRST_WAIT, LONGEST_WAIT, failures - 2)),
    }
}

fn tell(event: &Event) {
    match event {
        Event::Connected => tracing::info!("connected to NATS"),
        Event::Disconnected => {
            tracing::warn!("NATS is away; what is appended waits in the log until it is back");
        }
        Event::SlowConsumer(_) => {
            tracing::warn!("messages were dropped because they came faster than they were read");
        }
        Event::ServerError(error) => tracing::warn!(%error, "NATS refused something"),
        other => tracing::debug!(event = %other, "NATS"),
    }
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

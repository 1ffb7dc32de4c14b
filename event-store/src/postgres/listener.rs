//! Hears of appends by other processes: a notification says how far the log goes now. A slow clock says "look at it".
//!
//! **Invariant:** it goes on for ever. Whatever happens to its connection, the head is at most a pause behind.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Acquire as _;
use sqlx::postgres::PgListener;
use storage::Backoff;
use storage::postgres::PostgresSettings;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::head;
use crate::recent::Recent;
use crate::types::Position;

use super::identity::Identity;
use super::schema;

/// Notified of the position that the appends reached, and of nothing by a new epoch.
const CHANNEL: &str = "docket_log";
/// How often is looked at the head though nobody said so: a notification may be lost with its connection, and a
/// connection may die in silence.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long that may take. It goes over the listening connection, and so finds out whether it is alive.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pauses between attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// A database that is back, or that answers again, is heard within this time.
const BACK_WITHIN: Duration = Duration::from_secs(10);
const _: () = assert!(
    LOOK_EVERY.as_secs() + PATIENCE.as_secs() + PAUSES.1.as_secs() < BACK_WITHIN.as_secs(),
    "a connection that fell silent is noticed and replaced in time"
);

/// What it watches, and what it raises.
pub(super) struct Listener {
    pub(super) settings: PostgresSettings,
    pub(super) head: watch::Sender<Position>,
    pub(super) identity: Arc<Identity>,
    pub(super) recent: Arc<Recent>,
}

impl Listener {
    /// Listens until its task is ended.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            let ended = match storage::postgres::listen(&self.settings, CHANNEL).await {
                Ok(listener) => self.hear(listener, &mut backoff).await,
                Err(error) => error,
            };
            // A server that comes back may have been restored from a backup.
            self.recent.forget();
            tracing::warn!(error = %ended, "the event log is not heard; listening anew");
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    /// Hears until the connection is lost.
    async fn hear(&self, mut listener: PgListener, backoff: &mut Backoff) -> sqlx::Error {
        loop {
            match timeout(PATIENCE, self.look(&mut listener)).await {
                Ok(Ok(())) => backoff.reset(),
                Ok(Err(error)) => return error,
                Err(elapsed) => return sqlx::Error::Io(elapsed.into()),
            }
            let look_at = Instant::now() + LOOK_EVERY;
            loop {
                match timeout_at(look_at, listener.try_recv()).await {
                    Ok(Ok(Some(notification))) => match notification.payload().parse() {
                        Ok(position) => head::raise(&self.head, position),
                        // A new epoch, or what another version says: the tables know.
                        Err(_) => break,
                    },
                    Ok(Ok(None)) => return sqlx::Error::Io(io::ErrorKind::ConnectionReset.into()),
                    Ok(Err(error)) => return error,
                    Err(_) => break,
                }
            }
        }
    }

    async fn look(&self, listener: &mut PgListener) -> Result<(), sqlx::Error> {
        let connection = listener.acquire().await?;
        let identity = schema::identity(connection).await?;
        let position = schema::head(connection).await?;
        self.identity.found(identity, position, &self.head);
        Ok(())
    }
}

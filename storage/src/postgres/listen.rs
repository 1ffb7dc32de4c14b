//! A connection that hears notifications.

use std::io;

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::timeout;

use super::address::PostgresSettings;

/// Opens a connection of its own and listens to the channel.
///
/// It does not connect anew by itself: what came while it was gone is lost, so whoever listens has to look first. Nor
/// does it see a connection that fell silent: ask something over it now and then, with a time limit.
pub async fn listen(settings: &PostgresSettings, channel: &str) -> Result<PgListener, sqlx::Error> {
    let connect = async {
        // The driver's listener wants a pool; this one is nothing but its connection.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(settings.call_timeout)
            .connect_lazy_with(settings.bounded());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        listener.listen(channel).await?;
        Ok(listener)
    };
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time");
    timeout(settings.call_timeout, connect).await.map_err(|_| sqlx::Error::Io(late()))?
}

//! Tells other processes how far the log goes, at most every few milliseconds: a notification within the append would make
//! each commit dearer, and they all say the same.
//!
//! What is lost with a process that ends is found by the listeners' own look.

use std::time::Duration;

use storage::postgres::PostgresPool;
use tokio::sync::watch;

use crate::types::Position;

const ANNOUNCE: &str = "SELECT pg_notify('docket_log', $1::text)";
/// Between two announcements.
const PAUSE: Duration = Duration::from_millis(10);

/// What it says, and over which connections.
pub(super) struct Announcer {
    pub(super) pool: PostgresPool,
    /// The head that this process's appends reached.
    pub(super) appended: watch::Receiver<Position>,
}

impl Announcer {
    /// Announces until its task is ended.
    pub(super) async fn run(mut self) {
        while self.appended.changed().await.is_ok() {
            let position = self.appended.borrow_and_update().to_string();
            let announced = self.pool.call(async |connection| {
                sqlx::query(ANNOUNCE).bind(&position).execute(connection).await
            });
            if let Err(error) = announced.await {
                tracing::debug!(%error, "the head could not be announced; others look by themselves");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

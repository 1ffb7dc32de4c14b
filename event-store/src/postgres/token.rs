//! The writer's token: who holds the newest one may append. Raised by whoever takes the log over.

use std::sync::Arc;

use sqlx::PgConnection;
use tokio::sync::watch;

/// Waits for an append that is under way, and is refused to none: the newest wins.
const RAISE: &str = "UPDATE log_writer SET token = token + 1 WHERE singleton RETURNING token";

/// The same, by whoever has the newest.
const RENEW: &str =
    "UPDATE log_writer SET token = token + 1 WHERE singleton AND token = $1 RETURNING token";

/// What an append takes first. It leaves a trace in the database's journal, as an append does, and changes nothing. Whoever has it
/// is not waited for.
const LOCK: &str = "SELECT token FROM log_writer WHERE singleton FOR UPDATE NOWAIT";

/// The token that this process holds, if any.
#[derive(Debug, Clone)]
pub(super) struct Token(Arc<watch::Sender<Option<i64>>>);

impl Token {
    pub(super) fn none() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    pub(super) fn held(&self) -> Option<i64> {
        *self.0.borrow()
    }

    pub(super) fn hold(&self, token: i64) {
        self.0.send_replace(Some(token));
    }

    /// The log has another one now. One that was taken meanwhile stays.
    pub(super) fn lost(&self, token: i64) {
        self.0.send_if_modified(|held| held.take_if(|held| *held == token).is_some());
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<i64>> {
        self.0.subscribe()
    }
}

/// Makes this token old, and with it all that is on its way under it; `None` when it was already.
pub(super) async fn renew(
    connection: &mut PgConnection,
    token: i64,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(RENEW).bind(token).fetch_optional(connection).await
}

/// Makes every other holder's token old.
pub(super) async fn raise(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(RAISE).fetch_one(connection).await
}

/// Takes and gives back the lock of an append.
pub(super) async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(LOCK).execute(connection).await.map(drop)
}

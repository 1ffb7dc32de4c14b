//! The row that a lease is, wherever it is kept.
//!
//! **Invariant:** it is taken only when its time is over, by the clock of where it is kept, and each holder gets a higher token.

use std::time::Duration;

use futures::future::BoxFuture;

/// The row of one lease. What [`Lease::shared`](super::Lease::shared) opens is in SQL; a simulation has it in memory.
pub trait LeaseRow: Send + Sync + 'static {
    /// Takes it for so long if nobody holds it; the new holder's token.
    fn take<'a>(
        &'a self,
        holder: &'a str,
        lasts: Duration,
    ) -> BoxFuture<'a, Result<Option<i64>, sqlx::Error>>;

    /// It lasts so long from now on; false when another took it.
    fn renew(&self, token: i64, lasts: Duration) -> BoxFuture<'_, Result<bool, sqlx::Error>>;

    /// Whoever waits for it need not wait for its end.
    fn give_back(&self, token: i64) -> BoxFuture<'_, Result<(), sqlx::Error>>;
}

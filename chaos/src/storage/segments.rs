//! Room that PostgreSQL has put aside for what it writes next.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

/// A message in the log of what is written, so that there is something to switch from; then on to the next segment.
const NEXT: &str = "SELECT pg_logical_emit_message(false, 'chaos', 'full'), pg_switch_wal()";
/// More than a server of a run puts aside.
const SEGMENTS: usize = 8;
/// A switch that finds no room ends the server, or waits for one that does.
const SWITCHED_WITHIN: Duration = Duration::from_secs(5);

/// Goes on to the next segment until there is none, as busy neighbours would: then nothing more can be written. Where the server
/// ends of it, that is what a full disk does.
pub(crate) async fn use_up_segments(url: &str) {
    let using = async || -> sqlx::Result<()> {
        let mut connection = PgConnection::connect(url).await?;
        for _ in 0..SEGMENTS {
            sqlx::raw_sql(NEXT).execute(&mut connection).await?;
        }
        Ok(())
    };
    let _ = tokio::time::timeout(SWITCHED_WITHIN, using()).await;
}

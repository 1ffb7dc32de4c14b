//! Whether a failure is that of a database which can't be reached now, and not of what was asked.

use sqlx::Error;

/// Classes of PostgreSQL's codes: connection failures, too few resources, and a server that ends or starts.
const AWAY: [&str; 3] = ["08", "53", "57P"];

/// True when a later try may succeed without anything having been put right here.
pub fn is_away(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolTimedOut => true,
        Error::Database(refusal) => {
            // SQLite's codes are numbers of one to four digits: none begins so.
            refusal.code().is_some_and(|code| {
                code.len() == 5 && AWAY.iter().any(|class| code.starts_with(class))
            })
        }
        _ => false,
    }
}

//! Whether a failure is that of a database which can't be reached now, and not of what was asked.

use sqlx::Error;

/// Classes of PostgreSQL's codes: connection failures, too few resources, and a server that ends or starts.
const AWAY: [&str; 3] = ["08", "53", "57P"];

/// True when such a failure is what is behind this one.
pub fn is_away_behind(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.any(|cause| cause.downcast_ref::<Error>().is_some_and(is_away))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("it can't start")]
    struct CannotStart(#[source] Error);

    #[test]
    fn what_is_behind_a_failure_is_found() {
        let refused = || Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        assert!(is_away_behind(&CannotStart(refused())));
        assert!(is_away_behind(&refused()));
        assert!(!is_away_behind(&CannotStart(Error::RowNotFound)));
    }
}

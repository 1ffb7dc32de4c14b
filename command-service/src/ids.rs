//! The one place where this service draws ids: for orders and customers whose client names none.
//!
//! **Invariant:** what is sealed is sealed under the id before the command is decided. So a command that comes again on the same
//! day, also one that was refused, draws the same id: no key of a person who never came stays behind for each time.

use chrono::{DateTime, Utc};
use domain::ids::{CustomerId, OrderId};

use crate::request_hash::RequestHasher;

/// Milliseconds of a day.
const DAY: u64 = 24 * 60 * 60 * 1_000;

/// An id for the order of this command.
pub(crate) fn order_id(
    hasher: &RequestHasher,
    command_id: &str,
    now: DateTime<Utc>,
) -> Option<OrderId> {
    OrderId::parse(&draw(hasher, command_id, now)).ok()
}

/// An id for the customer of this command.
pub(crate) fn customer_id(
    hasher: &RequestHasher,
    command_id: &str,
    now: DateTime<Utc>,
) -> Option<CustomerId> {
    CustomerId::parse(&draw(hasher, command_id, now)).ok()
}

/// Begins with the day, so that neighbours in time are neighbours on disk; the rest nobody guesses without the secret.
fn draw(hasher: &RequestHasher, command_id: &str, now: DateTime<Utc>) -> String {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let hash = hasher.hash(&[b"an id for", command_id.as_bytes()]);
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis - millis % DAY, &rest).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_command_that_comes_again_draws_the_same_id_and_another_command_another() {
        let drawn = |secret: &[u8], command_id: &str, hour: i64| {
            let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::hours(hour);
            order_id(&RequestHasher::new(secret), command_id, now).unwrap().to_string()
        };
        let first = drawn(b"secret", "client/1", 0);
        assert_eq!(drawn(b"secret", "client/1", 23), first);
        assert_ne!(drawn(b"secret", "client/2", 0), first);
        assert_ne!(drawn(b"other", "client/1", 0), first);
        assert!(drawn(b"secret", "client/1", 24) > first, "a day later it stands behind");
    }
}

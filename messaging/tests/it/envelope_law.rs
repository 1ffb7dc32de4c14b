//! What holds of any bytes that are handed over as an event on its way. `fuzz/` holds the same.

use messaging::jetstream::{Received, decode, encode};

/// Panics where it does not hold; gives what was received, if it is an event.
pub(crate) fn check(message: &[u8]) -> Option<Received> {
    match decode(message) {
        Ok(received) => {
            let sent = encode(&received.log, &received.event).expect("an event can be sent on");
            let again = decode(&sent).expect("what is sent is received");
            assert_eq!(again, received);
            let twice = encode(&again.log, &again.event).expect("an event can be sent on");
            assert_eq!(twice, sent);
            Some(received)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

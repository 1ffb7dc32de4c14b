//! Whether an address leads out of this machine: what does not may go in clear.

use std::net::IpAddr;

/// Whether a host, as it stands in an address, is this machine itself: `localhost`, or an address of the loopback.
pub fn is_this_machine(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || literal.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_is_this_machine() {
        for here in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_this_machine(here), "{here}");
        }
        for away in [
            "",
            "mail.example",
            "localhost.example",
            "10.0.0.7",
            "0.0.0.0",
            "[::]",
            "127.0.0.1.nip.io",
            "2130706433",
        ] {
            assert!(!is_this_machine(away), "{away}");
        }
    }
}

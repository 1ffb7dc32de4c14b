//! What a test does when a server is not installed.

/// Names the setting under which a missing server fails the tests that need it.
pub const REQUIRED_VARIABLE: &str = "DOCKET_REQUIRE_SERVERS";

/// Whether tests must run against real servers: with `DOCKET_REQUIRE_SERVERS=1`.
pub fn is_required() -> bool {
    std::env::var_os(REQUIRED_VARIABLE).is_some_and(|value| value == "1")
}

/// Says that a test is skipped for want of a server; panics where none may be.
///
/// # Panics
/// When [`is_required`].
pub fn skipped(missing: &anyhow::Error) {
    assert!(!is_required(), "{missing:#}");
    eprintln!("SKIPPED: {missing:#}");
}

//! What a test does when a server is not installed.

/// Whether tests must run against real servers: on CI, and under `cargo xtask test`, which sets this too.
pub fn is_required() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}

/// Says that a test is skipped for want of a server; panics where none may be.
///
/// # Panics
/// When `CI=true`.
pub fn skipped(missing: &anyhow::Error) {
    assert!(!is_required(), "{missing:#}");
    eprintln!("SKIPPED: {missing:#}");
}

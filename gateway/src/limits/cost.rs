//! What a request costs of what somebody may: about what it makes the platform do.

use axum::http::Method;

/// A read of a model's rows.
const READ: u32 = 1;
/// What goes through the log, or asks several services.
const WIDE: u32 = 10;
/// A command: it is decided and goes to the disk.
const COMMAND: u32 = 5;

/// A token that was not taken.
pub(super) const REFUSED_TOKEN: u32 = 1;

/// The cost of a request in units.
pub(super) fn of(method: &Method, path: &str) -> u32 {
    if *method != Method::GET && *method != Method::HEAD && *method != Method::OPTIONS {
        return COMMAND;
    }
    let is_wide = path == "/openapi.json"
        || path == "/v1/dashboard"
        || path == "/v1/overview"
        || path == "/v1/events"
        || path.starts_with("/v1/reports/")
        || path.ends_with("/events")
        || path.ends_with("/stream")
        || path.ends_with("/explain");
    if is_wide { WIDE } else { READ }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_costs_more_than_a_read_and_what_is_wide_most() {
        for (method, path, cost) in [
            (Method::GET, "/v1/orders/o-1", READ),
            (Method::HEAD, "/v1/orders", READ),
            (Method::POST, "/v1/orders", COMMAND),
            (Method::DELETE, "/v1/orders", COMMAND),
            (Method::GET, "/v1/reports/sales", WIDE),
            (Method::GET, "/v1/orders/o-1/events", WIDE),
            (Method::GET, "/v1/orders/o-1/stream", WIDE),
            (Method::GET, "/v1/events/stream", WIDE),
            (Method::GET, "/v1/dashboard", WIDE),
        ] {
            assert_eq!(of(&method, path), cost, "{method} {path}");
        }
    }
}

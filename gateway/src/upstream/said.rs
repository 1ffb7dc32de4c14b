//! What is said to a client whose request a service did not get, or did not answer.

use service_kit::problem::{Code, Problem};

use crate::places::NoPlace;

/// What is said when a service has all that it may have.
pub(crate) fn no_place(service: &'static str, none: NoPlace) -> Problem {
    let (reason, detail) = match none {
        NoPlace::Full => ("full", format!("{service} has as many requests as it may have")),
        NoPlace::TheirsAreMany => {
            let detail = format!("as many of your requests wait at {service} as may of one client");
            ("own_waits", detail)
        }
    };
    refused(service, reason);
    Problem::from(Code::Overloaded).detail(detail).retry_after(1)
}

/// What is said when a service does not answer.
pub(crate) fn unanswered(service: &'static str, may_be_done: bool) -> Problem {
    let code = if may_be_done { Code::OutcomeUnknown } else { Code::Unavailable };
    Problem::from(code).detail(format!("{service} does not answer")).retry_after(1)
}

/// Counts it.
pub(super) fn refused(service: &'static str, reason: &'static str) {
    let labels = [("upstream", service), ("reason", reason)];
    metrics::counter!("docket_gateway_refused_total", &labels).increment(1);
}

//! Faults in what is paid back for a return, also of lines that are not stocked: no stock tells of those.

use invariants::Rule;
use serde_json::json;

use crate::log::{Log, gbp, service_returned};
use crate::{check, finds};

/// The last event of this type is about the service.
fn broken(event: &str, by: impl FnOnce(&mut serde_json::Value)) -> Log {
    let mut log = service_returned();
    let events = log.0.iter_mut().rev().flat_map(|append| &mut append.events);
    let (_, payload) = events.into_iter().find(|(name, _)| *name == event).unwrap();
    by(payload);
    log
}

#[test]
fn a_service_that_comes_back_and_is_paid_back_is_no_finding_after_any_append() {
    for length in 0..=service_returned().0.len() {
        let mut log = service_returned();
        log.0.truncate(length);
        let report = check(&log.recorded());
        assert!(report.is_clean(), "after {length} appends: {:#?}", report.findings);
    }
}

#[test]
fn more_paid_back_than_the_returned_service_cost_is_found_where_it_is_asked_for() {
    let report =
        finds(Rule::Returns, &broken("RefundRequested", |refund| refund["amount"] = gbp(101)));
    let statement = "Payment `o1-p1` asked to pay back 101 for return `o1-r2`, which has 100 left to be paid back.";
    assert!(report.findings.iter().any(|finding| finding.statement == statement));
}

#[test]
fn money_asked_back_before_the_return_was_received_is_found() {
    let mut log = service_returned();
    let received = log.0.len() - 3;
    log.0.remove(received);
    finds(Rule::Returns, &log);
}

#[test]
fn a_return_of_a_service_that_was_never_shipped_is_found() {
    let log = broken("ReturnRequested", |asked| asked["lines"][0]["quantity"] = json!(2));
    finds(Rule::Lines, &log);
}

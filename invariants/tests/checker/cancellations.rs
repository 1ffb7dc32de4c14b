//! Faults in how lines of a confirmed order are cancelled.

use invariants::Rule;
use serde_json::json;

use crate::log::{Log, cancelled};
use crate::{check, finds};

fn broken(by: impl FnOnce(&mut Log)) -> Log {
    let mut log = cancelled();
    by(&mut log);
    log
}

#[test]
fn an_order_that_is_cancelled_line_by_line_has_no_finding_after_any_append() {
    for length in 0..=cancelled().0.len() {
        let log = broken(|log| log.0.truncate(length));
        let report = check(&log.recorded());
        assert!(report.is_clean(), "after {length} appends: {:#?}", report.findings);
    }
}

#[test]
fn a_cancellation_that_nobody_asked_for_is_found() {
    finds(Rule::States, &broken(|log| log.forget("o3", "CancellationRequested")));
}

#[test]
fn a_cancellation_that_is_settled_twice_is_found() {
    finds(Rule::States, &broken(|log| log.repeat("o3", "LinesCancelled")));
    let declined = (
        "CancellationDeclined",
        json!({"order_id": "o3", "cancellation_id": "o3-c1", "reason": "late"}),
    );
    finds(Rule::States, &broken(|log| log.add(vec![declined])));
}

#[test]
fn other_lines_cancelled_than_were_asked_for_are_found() {
    let log = broken(|log| {
        log.payload("o3", "LinesCancelled")["lines"] = json!([{"line": 2, "quantity": 1}]);
        log.payload("o3", "LinesCancelled")["amount"] = json!(100);
    });
    finds(Rule::States, &log);
}

#[test]
fn more_cancelled_than_was_ordered_is_found() {
    let lines = json!([{"line": 1, "quantity": 3}]);
    let log = broken(|log| {
        log.payload("o3", "CancellationRequested")["lines"] = lines.clone();
        log.payload("o3", "LinesCancelled")["lines"] = lines;
        log.payload("o3", "LinesCancelled")["amount"] = json!(750);
    });
    finds(Rule::Lines, &log);
}

#[test]
fn a_cancellation_of_another_amount_than_its_lines_is_found() {
    finds(Rule::Balance, &broken(|log| log.payload("o3", "LinesCancelled")["amount"] = json!(249)));
}

#[test]
fn an_order_cancelled_while_some_of_its_lines_go_on_is_found() {
    let log = broken(|log| {
        let last = log.0.len() - 2;
        log.0.remove(last);
    });
    finds(Rule::States, &log);
}

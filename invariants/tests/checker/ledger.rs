//! The provider's ledger against the log.

use domain::money::Currency;
use domain::payments::Operation;
use invariants::{Checker, LedgerRow, LedgerStatus, Report, Rule};

use crate::log::{Log, clean};

fn row(order: &str, operation: Operation, amount: i64, status: LedgerStatus) -> LedgerRow {
    LedgerRow {
        payment_id: format!("{order}-p1"),
        operation,
        amount,
        currency: Currency::parse("GBP").unwrap(),
        status,
        key: format!("{order}-p1/{}/1", operation.name()),
    }
}

fn ledger() -> Vec<LedgerRow> {
    vec![
        row("o1", Operation::Authorize, 600, LedgerStatus::Done),
        row("o1", Operation::Capture, 600, LedgerStatus::Done),
        row("o1", Operation::Refund, 250, LedgerStatus::Done),
        row("o2", Operation::Authorize, 600, LedgerStatus::NotDone),
    ]
}

fn compare(log: &Log, ledger: &[LedgerRow]) -> Report {
    let mut checker = Checker::default();
    log.recorded().iter().for_each(|event| checker.observe(event));
    checker.compare_ledger_read_before(ledger);
    checker.compare_ledger_read_after(ledger);
    checker.finish()
}

#[track_caller]
fn finds(ledger: &[LedgerRow], words: &str) {
    let report = compare(&clean(), ledger);
    let found = report
        .findings
        .iter()
        .any(|finding| finding.rule == Rule::Charges && finding.statement.contains(words));
    assert!(found, "no `{words}` in {:#?}", report.findings);
}

#[test]
fn a_ledger_that_says_what_the_log_says_is_clean() {
    let report = compare(&clean(), &ledger());
    assert!(report.is_clean(), "{:#?}", report.findings);
    assert_eq!(report.counts.ledger_rows, 4);
}

#[test]
fn what_the_provider_did_while_the_outcome_is_open_is_no_finding() {
    let mut log = clean();
    let asked = log.find("o1", "CaptureRequested");
    log.0.truncate(asked + 1);
    let report = compare(&log, &ledger()[..2]);
    assert!(report.is_clean(), "{:#?}", report.findings);
}

#[test]
fn a_charge_at_the_provider_that_the_log_does_not_know_is_found() {
    let mut ledger = ledger();
    ledger.push(LedgerRow { key: "o1-p1/capture/2".to_owned(), ..ledger[1].clone() });
    finds(&ledger, "what the log never asked for");
}

#[test]
fn a_charge_made_twice_under_one_key_is_found() {
    let mut ledger = ledger();
    ledger.push(ledger[1].clone());
    finds(&ledger, "did twice");
}

#[test]
fn a_charge_that_the_provider_does_not_have_is_found() {
    let mut ledger = ledger();
    ledger.remove(1);
    finds(&ledger, "does not have it");
}

#[test]
fn another_amount_or_currency_at_the_provider_is_found() {
    let mut amounts = ledger();
    amounts[1].amount = 601;
    finds(&amounts, "the log asked for 600 GBP");
    let mut currencies = ledger();
    currencies[1].currency = Currency::parse("EUR").unwrap();
    finds(&currencies, "the log asked for 600 GBP");
}

#[test]
fn what_the_log_calls_failed_and_the_provider_did_is_found() {
    let mut ledger = ledger();
    ledger[3].status = LedgerStatus::Done;
    finds(&ledger, "the log says it failed");
}

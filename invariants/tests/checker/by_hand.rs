//! What a person settled by hand in the provider's place.

use invariants::Rule;
use serde_json::{Value, json};

use crate::log::{Log, clean, gbp, merged};
use crate::{check, finds};

fn settled(unmet: &Value, amount: i64) -> (&'static str, Value) {
    let of = json!({ "payment_id": "o1-p1", "order_id": "o1", "amount": gbp(amount) });
    let how = json!({ "unmet": unmet, "settlement": "elsewhere", "reason": "bank transfer" });
    ("PaymentSettledByHand", merged(of, how))
}

fn of_shipment() -> Value {
    json!({ "operation": "capture", "shipment_id": "o1-s1" })
}

fn of_return() -> Value {
    json!({ "operation": "refund", "return_id": "o1-r1" })
}

/// The clean log, but its order's capture and refund were refused, and a person settled both.
fn by_hand() -> Log {
    let mut log = clean();
    let of = json!({ "payment_id": "o1-p1", "order_id": "o1" });
    let refused = json!({ "code": "refused", "retriable": false });
    let capture = log.find("o1", "PaymentCaptured");
    let failed = merged(merged(of.clone(), refused.clone()), json!({ "shipment_id": "o1-s1" }));
    log.0[capture].events = vec![("CaptureFailed", failed)];
    let refund = log.find("o1", "PaymentRefunded");
    let failed = merged(merged(of, refused), json!({ "return_id": "o1-r1" }));
    log.0[refund].events = vec![("RefundFailed", failed)];
    insert(&mut log, refund + 1, settled(&of_return(), 250));
    insert(&mut log, capture + 1, settled(&json!({ "operation": "void" }), 600));
    insert(&mut log, capture + 1, settled(&of_shipment(), 600));
    log
}

fn insert(log: &mut Log, at: usize, event: (&'static str, Value)) {
    log.add(vec![event]);
    let added = log.0.pop().unwrap();
    let command_id = format!("by-hand-{at}-{}", log.0.len());
    log.0.insert(at, crate::log::Append { command_id, ..added });
}

#[track_caller]
fn says(rule: Rule, words: &str, by: impl FnOnce(&mut Log)) {
    let mut log = by_hand();
    by(&mut log);
    let report = finds(rule, &log);
    let said = |finding: &invariants::Finding| finding.statement.contains(words);
    assert!(report.findings.iter().any(said), "no `{words}` in {:#?}", report.findings);
}

#[test]
fn what_was_settled_by_hand_balances_after_any_append() {
    for length in 0..=by_hand().0.len() {
        let mut log = by_hand();
        log.0.truncate(length);
        let report = check(&log.recorded());
        assert!(report.is_clean(), "after {length} appends: {:#?}", report.findings);
    }
}

#[test]
fn what_is_wrong_with_what_was_settled_is_said() {
    says(Rule::Balance, "had 599 settled by hand for shipment `o1-s1`, which came to 600", |log| {
        log.payload("o1", "PaymentSettledByHand")["amount"] = gbp(599);
    });
    says(Rule::Balance, "what was paid when it was completed is 0, its lines come to 600", |log| {
        log.forget("o1", "PaymentSettledByHand");
    });
    says(Rule::Charges, "Shipment `o1-s1` was paid 2 times, 1200 in all", |log| {
        log.repeat("o1", "PaymentSettledByHand");
    });
    says(Rule::Charges, "was settled by hand while its capture was open", |log| {
        log.forget("o1", "CaptureFailed");
    });
    says(Rule::Charges, "voided 1200", |log| {
        let at = log.find("o1", "OrderCompleted");
        insert(log, at, settled(&json!({ "operation": "void" }), 600));
    });
    says(Rule::Balance, "had 250 settled by hand for return `o1-r1`, which was owed 0", |log| {
        log.add(vec![settled(&of_return(), 250)]);
    });
    says(Rule::Balance, "250 of that by hand), but 350 is due", |log| {
        log.payload("o1", "PaymentSettledByHand")["amount"] = gbp(700);
    });
}

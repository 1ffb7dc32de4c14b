//! Every rule that a log can break is broken alone once, and every sentence of the checker is said once.

use std::collections::BTreeSet;

use invariants::Rule;
use serde_json::{Value, json};

use crate::log::{Log, clean, gbp, merged, placed, service_returned};
use crate::{broken, check, finds};

/// The least that breaks this rule; `None` for those that another checker than this one looks after.
fn least(rule: Rule) -> Option<Log> {
    let after = |event: &str, by: &dyn Fn(&mut Log)| {
        broken(|log| {
            by(log);
            log.0.truncate(log.find("o1", event) + 1);
        })
    };
    Some(match rule {
        Rule::Once => broken(|log| log.0[27].command_id = log.0[1].command_id.clone()),
        // Of positions and versions: see `numbered`.
        Rule::Versions | Rule::Positions => clean(),
        Rule::Stock => broken(|log| log.0[1].events[0].1["quantity"] = json!(1)),
        Rule::Charges => broken(|log| log.payload("o1", "PaymentAuthorized")["amount"] = gbp(599)),
        Rule::Balance => broken(|log| log.payload("o1", "OrderPlaced")["total"] = json!(601)),
        Rule::Returns => {
            let mut log = service_returned();
            log.0.pop();
            let (_, refund) = &mut log.0.last_mut().unwrap().events[0];
            refund["amount"] = gbp(101);
            log
        }
        Rule::Compensation => broken(|log| log.forget("o2", "ReservationReleased")),
        Rule::Lines => after("ReturnRequested", &|log| {
            log.payload("o1", "ReturnRequested")["lines"][0]["quantity"] = json!(3);
        }),
        Rule::Reservations => after("ReservationMade", &|log| {
            log.payload("o1", "ReservationMade")["lines"][0]["quantity"] = json!(1);
            log.payload("o1", "StockReserved")["quantity"] = json!(1);
        }),
        Rule::States => broken(|log| log.add(vec![("HoldReleased", json!({ "order_id": "o1" }))])),
        Rule::Readable => {
            broken(|log| *log.payload("o2", "OrderRejected") = json!({ "order_id": "o2" }))
        }
        // The last four are of journals: see `journal.rs`.
        Rule::SagaEnds
        | Rule::ReadModels
        | Rule::Outbox
        | Rule::Erasable
        | Rule::Acknowledged
        | Rule::Refused
        | Rule::Deliveries
        | Rule::SameAnswer => return None,
    })
}

/// The events as they are read, with a position or a version wrong where that is the rule.
fn numbered(rule: Rule, log: &Log) -> Vec<event_store::RecordedEvent> {
    let mut events = log.recorded();
    let last = events.last_mut().unwrap();
    match rule {
        Rule::Positions => last.position += 1,
        Rule::Versions => last.version += 1,
        _ => {}
    }
    events
}

#[test]
fn every_rule_fires_alone_on_the_least_that_breaks_it_and_none_on_a_clean_log() {
    for rule in Rule::ALL {
        let Some(log) = least(*rule) else { continue };
        let report = check(&numbered(*rule, &log));
        let found: BTreeSet<Rule> = report.found.keys().copied().collect();
        assert_eq!(found, BTreeSet::from([*rule]), "{:#?}", report.findings);
    }
    assert!(check(&clean().recorded()).is_clean());
    assert!(check(&service_returned().recorded()).is_clean());
}

#[track_caller]
fn says(rule: Rule, words: &str, by: impl FnOnce(&mut Log)) {
    let report = finds(rule, &broken(by));
    let said =
        |finding: &invariants::Finding| finding.rule == rule && finding.statement.contains(words);
    assert!(report.findings.iter().any(said), "no `{words}` in {:#?}", report.findings);
}

#[test]
fn what_is_wrong_with_a_return_is_said() {
    says(Rule::States, "for return `o1-r1`, which nobody asked for", |log| {
        log.forget("o1", "ReturnRequested");
    });
    says(Rule::States, "for return `o1-r1`, which was asked for with other units", |log| {
        log.payload("o1", "ReturnReceived")["lines"] = json!([{ "line": 2, "quantity": 1 }]);
    });
    says(Rule::Returns, "for return `o1-r1`, which was never received", |log| {
        log.forget("o1", "ReturnReceived");
    });
    says(Rule::Charges, "Return `o1-r1` of 250 was paid back with 601", |log| {
        log.payload("o1", "RefundRequested")["amount"] = gbp(601);
        log.payload("o1", "PaymentRefunded")["amount"] = gbp(601);
    });
    says(Rule::Reservations, "with 2 shipped and 3 returned", |log| {
        log.payload("o1", "ReturnStocked")["lines"][0]["quantity"] = json!(3);
        log.payload("o1", "StockRestocked")["quantity"] = json!(3);
    });
}

#[test]
fn what_is_wrong_with_a_parcel_is_said() {
    says(Rule::Lines, "Shipment `o1-s1` left the house twice", |log| {
        log.repeat("o1", "ShipmentShipped");
    });
    says(Rule::States, "left the house while order `o1` was not to be carried out", |log| {
        log.forget("o1", "OrderConfirmed");
    });
    says(Rule::States, "`LinesShipped` for shipment `o1-s1` a second time", |log| {
        log.repeat("o1", "LinesShipped");
    });
    says(Rule::States, "for shipment `o1-s1`, which never left the house", |log| {
        log.forget("o1", "ShipmentShipped");
    });
    says(Rule::States, "for shipment `o1-s1` with other units than left the house", |log| {
        log.payload("o1", "LinesShipped")["lines"][0]["quantity"] = json!(1);
    });
    says(Rule::States, "`LinesDelivered` for shipment `o1-s1` a second time", |log| {
        log.repeat("o1", "LinesDelivered");
    });
    says(
        Rule::Reservations,
        "shipped 2 of SKU `mug` by its lines and 0 by its reservation",
        |log| {
            log.forget("o1", "ReservationShipped");
        },
    );
}

#[test]
fn what_is_wrong_with_units_is_said() {
    says(Rule::Stock, "-2 reserved", |log| log.repeat("o2", "ReservationReleased"));
    says(Rule::Reservations, "Order `o1` is completed and holds 2 units", |log| {
        log.forget("o1", "ReservationShipped");
    });
    says(Rule::Compensation, "Order `o9` does not exist, but has 2 units held", |log| {
        let lines = json!([{ "sku": "mug", "quantity": 2 }]);
        let of = |more: Value| merged(json!({ "order_id": "o9" }), more);
        log.add(vec![
            ("StockReserved", of(json!({ "sku": "mug", "quantity": 2 }))),
            ("ReservationMade", of(json!({ "lines": lines }))),
        ]);
        let packed = json!([{ "line": 1, "sku": "mug", "quantity": 2 }]);
        let parcel =
            json!({ "shipment_id": "o9-s1", "carrier": "Post", "tracking": "1", "lines": packed });
        log.add(vec![("ShipmentShipped", of(parcel))]);
    });
}

#[test]
fn what_is_wrong_with_money_is_said() {
    says(Rule::Balance, "for shipment `o1-s1`, which never left", |log| {
        log.forget("o1", "ShipmentShipped");
    });
    says(Rule::Charges, "asked for capture while its authorize was open", |log| {
        log.forget("o1", "PaymentAuthorized");
    });
    says(Rule::Charges, "used attempt 1 of refund twice", |log| {
        log.repeat("o1", "RefundRequested");
    });
    says(Rule::Balance, "Payment `o1-p1` is in GBP and in EUR", |log| {
        log.payload("o1", "CaptureRequested")["amount"]["currency"] = json!("EUR");
    });
    says(Rule::Charges, "Order `o1` of 600 was confirmed with 599 held", |log| {
        log.payload("o1", "PaymentAuthorized")["amount"] = gbp(599);
    });
    says(Rule::Balance, "its order `o9` in no currency at all", |log| {
        let amount = gbp(1);
        let asked = json!({ "payment_id": "o9-p1", "order_id": "o9", "amount": amount, "method": "pm_ok", "attempt": 1 });
        log.add(vec![("PaymentRequested", asked)]);
    });
}

#[test]
fn a_hold_and_its_release_are_no_finding() {
    let held = broken(|log| {
        log.add(vec![placed("o4")]);
        log.add(vec![("OrderHeld", json!({ "order_id": "o4", "reason": "look at it" }))]);
        log.add(vec![("HoldReleased", json!({ "order_id": "o4" }))]);
    });
    let report = check(&held.recorded());
    assert!(report.is_clean(), "{:#?}", report.findings);
}

//! A clean log has no finding, and every kind of fault is found by the rule that it breaks.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod beside_the_log;
mod by_hand;
mod cancellations;
mod journal;
mod ledger;
mod log;
mod returns;
mod rules;
mod saga_tables;

use event_store::RecordedEvent;
use invariants::{Checker, Progress, Report, Rule};
use log::{Log, clean, placed};
use serde_json::json;

fn check(events: &[RecordedEvent]) -> Report {
    let mut checker = Checker::default();
    for event in events {
        checker.observe(event);
    }
    checker.finish()
}

#[track_caller]
fn finds(rule: Rule, log: &Log) -> Report {
    let report = check(&log.recorded());
    assert!(report.found.contains_key(&rule), "{rule} is not among {:#?}", report.findings);
    report
}

/// Breaks a clean log.
fn broken(by: impl FnOnce(&mut Log)) -> Log {
    let mut log = clean();
    by(&mut log);
    log
}

#[test]
fn a_clean_log_has_no_finding_and_everything_is_counted() {
    let report = check(&clean().recorded());
    assert!(report.is_clean(), "{:#?}", report.findings);
    let counts = report.counts;
    assert_eq!((counts.orders, counts.payments, counts.skus), (2, 2, 1));
    assert_eq!((counts.events, counts.appends, counts.streams), (33, 28, 9));
}

#[test]
fn a_log_that_stops_after_any_append_is_clean_too() {
    let log = clean();
    for length in 0..log.0.len() {
        let mut log = clean();
        log.0.truncate(length);
        let report = check(&log.recorded());
        assert!(report.is_clean(), "after {length} appends: {:#?}", report.findings);
    }
}

#[test]
fn the_checker_knows_how_far_each_order_has_come_and_which_commands_had_an_effect() {
    let mut checker = Checker::default();
    clean().recorded().iter().for_each(|event| checker.observe(event));
    let orders: Vec<_> = checker
        .placed_orders()
        .map(|order| (order.order_id, order.progress, order.since))
        .collect();
    assert_eq!(orders, [("o1", Progress::Completed, 18), ("o2", Progress::Undone, 33)]);
    assert_eq!(checker.position_of_command("added-1"), Some(2));
    assert_eq!(checker.position_of_command("nobody's"), None);
}

#[test]
fn an_order_asks_the_provider_until_the_answer_is_in_the_log() {
    let mut log = clean();
    log.0.truncate(log.find("o1", "CaptureRequested") + 1);
    for (asks, last) in [(true, 13), (false, 14)] {
        let mut checker = Checker::default();
        for event in log.recorded() {
            checker.observe(&event);
        }
        let found: Vec<_> = checker
            .placed_orders()
            .map(|order| (order.asks_provider, order.last_payment))
            .collect();
        assert_eq!(found, [(asks, last)]);
        let whole = clean();
        log.0.push(whole.0[whole.find("o1", "PaymentCaptured")].clone());
    }
}

#[test]
fn a_command_that_was_applied_twice_is_found() {
    let mut log = clean();
    let first = log.0[1].command_id.clone();
    log.0.last_mut().unwrap().command_id = first;
    let report = finds(Rule::Once, &log);
    assert_eq!(report.findings[0].positions, [33, 2]);
}

#[test]
fn a_hole_and_a_repeat_in_the_positions_are_found() {
    for shift in [1, -1] {
        let mut events = clean().recorded();
        for event in &mut events[10..] {
            event.position = event.position.checked_add_signed(shift).unwrap();
        }
        let report = check(&events);
        assert_eq!(report.found[&Rule::Positions], 1);
        assert_eq!(report.found.len(), 1, "{:#?}", report.findings);
    }
}

#[test]
fn a_version_that_is_missing_or_given_twice_is_found() {
    for version in [1, 3] {
        let mut events = clean().recorded();
        let stocks = events.iter_mut().filter(|event| &*event.stream == "stock-mug");
        stocks.skip(1).take(1).for_each(|event| event.version = version);
        assert!(check(&events).found.contains_key(&Rule::Versions));
    }
}

#[test]
fn an_event_that_stands_at_two_positions_is_found() {
    let mut events = clean().recorded();
    events[7].id = events[2].id;
    let report = check(&events);
    assert_eq!((report.findings.len(), report.findings[0].rule), (1, Rule::Positions));
    assert_eq!(report.findings[0].positions, [3, 8]);
    assert!(report.findings[0].statement.ends_with("stands at positions 3 and 8."));
}

#[test]
fn an_event_that_can_t_be_read_at_all_is_found_where_it_stands_and_is_no_hole() {
    let mut checker = Checker::default();
    for event in clean().recorded() {
        // The last of its stream, so that no version is missed.
        if event.position == 33 {
            checker.observe_unreadable(33, "the metadata is no JSON");
        } else {
            checker.observe(&event);
        }
    }
    assert!(!checker.is_whole());
    let report = checker.finish();
    let [found] = &report.findings[..] else { panic!("{:#?}", report.findings) };
    assert_eq!((found.rule, found.positions.as_slice()), (Rule::Readable, &[33][..]));
    assert!(found.statement.contains("the metadata is no JSON"), "{found:?}");
}

#[test]
fn an_event_in_the_stream_of_another_is_found() {
    let mut events = clean().recorded();
    let last = events.last_mut().unwrap();
    (last.stream, last.version) = ("order-o9".into(), 1);
    assert!(check(&events).found.contains_key(&Rule::Versions));
}

#[test]
fn an_event_that_nobody_can_read_is_found() {
    finds(Rule::Readable, &broken(|log| log.payload("o1", "OrderPlaced")["total"] = json!("six")));
}

#[test]
fn overselling_is_found_at_the_append_that_oversold() {
    let report = finds(Rule::Stock, &broken(|log| log.0[1].events[0].1["quantity"] = json!(1)));
    assert_eq!(report.findings[0].positions, [4]);
    assert_eq!(report.findings[0].statement, "SKU `mug` has -1 available and 2 reserved.");
}

#[test]
fn stock_that_is_taken_without_its_reservation_is_found() {
    let log = broken(|log| {
        let made = log.find("o1", "ReservationMade");
        log.0[made].events.truncate(1);
    });
    finds(Rule::Reservations, &log);
    finds(Rule::Stock, &log);
}

#[test]
fn a_reservation_that_ends_twice_is_found() {
    finds(Rule::Reservations, &broken(|log| log.repeat("o2", "ReservationReleased")));
    finds(Rule::Reservations, &broken(|log| log.repeat("o1", "ReservationShipped")));
}

#[test]
fn stock_reserved_twice_or_after_it_was_given_up_is_found() {
    finds(Rule::Reservations, &broken(|log| log.repeat("o1", "ReservationMade")));
    let log = broken(|log| {
        let made = log.find("o2", "ReservationMade");
        let append = log.0.remove(made);
        log.0.push(append);
    });
    finds(Rule::Reservations, &log);
}

#[test]
fn other_units_than_the_lines_need_are_found() {
    let log = broken(|log| {
        log.payload("o1", "ReservationMade")["lines"][0]["quantity"] = json!(1);
        log.payload("o1", "StockReserved")["quantity"] = json!(1);
    });
    finds(Rule::Reservations, &log);
}

#[test]
fn a_second_charge_for_a_shipment_is_found() {
    let log = broken(|log| {
        log.repeat("o1", "PaymentCaptured");
        log.repeat("o1", "CaptureRequested");
    });
    finds(Rule::Charges, &log);
}

#[test]
fn a_charge_that_nobody_asked_for_is_found() {
    finds(Rule::Charges, &broken(|log| log.forget("o1", "CaptureRequested")));
}

#[test]
fn more_taken_than_was_authorized_is_found() {
    let log = broken(|log| {
        log.payload("o1", "PaymentAuthorized")["amount"]["amount"] = json!(599);
    });
    finds(Rule::Charges, &log);
}

#[test]
fn more_given_back_than_was_taken_is_found() {
    let log = broken(|log| {
        log.payload("o1", "RefundRequested")["amount"]["amount"] = json!(601);
        log.payload("o1", "PaymentRefunded")["amount"]["amount"] = json!(601);
    });
    finds(Rule::Charges, &log);
}

#[test]
fn a_total_that_is_not_the_sum_of_its_lines_is_found() {
    finds(Rule::Balance, &broken(|log| log.payload("o1", "OrderPlaced")["total"] = json!(601)));
}

#[test]
fn a_payment_in_another_currency_is_found() {
    let log = broken(|log| {
        log.payload("o1", "PaymentRequested")["amount"]["currency"] = json!("EUR");
    });
    finds(Rule::Balance, &log);
}

#[test]
fn a_parcel_that_was_never_paid_is_found() {
    let log = broken(|log| {
        log.forget("o1", "CaptureRequested");
        log.forget("o1", "PaymentCaptured");
    });
    finds(Rule::Balance, &log);
}

#[test]
fn a_parcel_that_is_paid_after_the_order_knows_that_it_left_is_no_finding() {
    let log = broken(|log| {
        let recorded = log.find("o1", "LinesShipped");
        let append = log.0.remove(recorded);
        log.0.insert(log.find("o1", "CaptureRequested"), append);
    });
    for length in 0..=log.0.len() {
        let mut begun = log.clone();
        begun.0.truncate(length);
        let report = check(&begun.recorded());
        assert!(report.is_clean(), "after {length} appends: {:#?}", report.findings);
    }
}

#[test]
fn a_capture_of_another_amount_than_left_the_house_is_found() {
    let log = broken(|log| {
        log.payload("o1", "CaptureRequested")["amount"]["amount"] = json!(599);
        log.payload("o1", "PaymentCaptured")["amount"]["amount"] = json!(599);
    });
    finds(Rule::Balance, &log);
}

#[test]
fn a_return_of_another_amount_than_its_lines_is_found() {
    let log = broken(|log| log.payload("o1", "ReturnReceived")["amount"] = json!(251));
    finds(Rule::Balance, &log);
}

#[test]
fn money_given_back_for_nothing_is_found() {
    let log = broken(|log| {
        log.forget("o1", "ReturnReceived");
        let stocked = log.find("o1", "ReturnStocked");
        log.0.remove(stocked);
    });
    finds(Rule::Balance, &log);
}

#[test]
fn more_shipped_or_delivered_than_ordered_is_found() {
    for event in ["LinesShipped", "LinesDelivered", "ReturnRequested"] {
        let log = broken(|log| log.payload("o1", event)["lines"][0]["quantity"] = json!(3));
        finds(Rule::Lines, &log);
    }
}

#[test]
fn a_line_that_does_not_exist_is_found() {
    let log = broken(|log| log.payload("o1", "LinesDelivered")["lines"][0]["line"] = json!(7));
    finds(Rule::Lines, &log);
}

#[test]
fn an_order_that_goes_on_after_its_end_is_found() {
    let confirmed = ("OrderConfirmed", json!({"order_id": "o2"}));
    finds(Rule::States, &broken(|log| log.add(vec![confirmed])));
    finds(Rule::States, &broken(|log| log.add(vec![placed("o1")])));
}

#[test]
fn a_pivot_after_a_rejection_began_is_found() {
    let log = broken(|log| {
        let started = log.find("o2", "RejectionStarted");
        let confirmed = ("OrderConfirmed", json!({"order_id": "o2"}));
        let command_id = "late".to_owned();
        log.0.insert(started + 1, log::Append { command_id, events: vec![confirmed] });
    });
    finds(Rule::States, &log);
}

#[test]
fn an_order_completed_before_its_parcels_arrived_is_found() {
    finds(Rule::States, &broken(|log| log.forget("o1", "LinesDelivered")));
}

#[test]
fn a_return_that_is_received_twice_is_found() {
    finds(Rule::States, &broken(|log| log.repeat("o1", "ReturnReceived")));
}

#[test]
fn a_rejected_order_that_kept_its_stock_is_found() {
    finds(Rule::Compensation, &broken(|log| log.forget("o2", "ReservationReleased")));
}

#[test]
fn a_rejected_order_that_kept_its_money_is_found() {
    let log = broken(|log| {
        let declined = log.find("o2", "PaymentDeclined");
        let authorized = json!({
            "payment_id": "o2-p1", "order_id": "o2", "amount": log::gbp(600),
            "expires_at": "2011-01-01T00:00:00Z", "multi_capture": true,
        });
        log.0[declined].events = vec![("PaymentAuthorized", authorized)];
    });
    let report = finds(Rule::Compensation, &log);
    assert!(report.findings[0].statement.contains("600 is held by the provider"));
}

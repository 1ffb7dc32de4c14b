//! What an orchestrator keeps, against the log: each rule fires where its row is wrong, and nowhere else.

use std::collections::HashSet;

use domain::sagas::{SagaKind, SagaState};
use invariants::{Checker, Report, Rule, SagaRow, SagaTables, SentCommand};

use crate::log::{Log, cancelled, clean};

/// The saga of an order that stands so.
fn saga(order: &str, state: SagaState, step: &str) -> SagaRow {
    SagaRow {
        id: format!("order-{order}"),
        kind: SagaKind::Order,
        order_id: order.to_owned(),
        state,
        step: step.to_owned(),
        wakes: false,
        is_whole: true,
    }
}

fn sent(saga: &str, step: &str) -> SentCommand {
    SentCommand { command_id: format!("{saga}/{step}/1"), saga_id: saga.to_owned(), sends: 1 }
}

/// The clean log, up to where its first order was placed.
fn placed() -> Log {
    let mut log = clean();
    log.0.truncate(log.find("o1", "OrderPlaced") + 1);
    log
}

/// Tables that have read all of the log.
fn tables(log: &Log, sagas: Vec<SagaRow>) -> SagaTables {
    let position = log.recorded().len() as u64;
    SagaTables { position, sagas, ..SagaTables::default() }
}

fn compare(log: &Log, tables: &SagaTables) -> Report {
    let mut checker = Checker::default();
    log.recorded().iter().for_each(|event| checker.observe(event));
    checker.compare_sagas_read_before(tables);
    checker.finish()
}

/// One finding, of this rule, which says this.
#[track_caller]
fn finds(rule: Rule, says: &str, log: &Log, tables: &SagaTables) {
    let report = compare(log, tables);
    let [found] = &report.findings[..] else { panic!("{:#?}", report.findings) };
    assert_eq!(found.rule, rule, "{found:#?}");
    assert!(found.statement.contains(says), "{found:#?}");
}

#[track_caller]
fn is_clean(log: &Log, tables: &SagaTables) {
    let report = compare(log, tables);
    assert!(report.is_clean(), "{:#?}", report.findings);
}

#[test]
fn a_command_that_is_still_sent_though_its_end_was_read_is_found() {
    let mut log = placed();
    "order-o1/reserve_stock/1".clone_into(&mut log.0.last_mut().unwrap().command_id);
    let mut tables = tables(&log, vec![saga("o1", SagaState::Running, "reserve_stock")]);
    tables.outbox = vec![sent("order-o1", "reserve_stock")];
    finds(Rule::Outbox, "is still sent (1 times so far)", &log, &tables);
    tables.outbox = vec![sent("order-o1", "authorize_payment")];
    is_clean(&log, &tables);
}

#[test]
fn an_order_without_a_saga_and_a_saga_that_ended_before_its_order_are_found() {
    let log = placed();
    let ended = saga("o1", SagaState::Completed, "complete_order");
    let says = "Order `o1` is under way, but its saga is completed at `complete_order`.";
    finds(Rule::SagaEnds, says, &log, &tables(&log, vec![ended]));
    let says = "Order `o1` was placed and has no saga.";
    finds(Rule::SagaEnds, says, &log, &tables(&log, Vec::new()));
    let waits = saga("o1", SagaState::Waiting, "create_shipment");
    is_clean(&log, &tables(&log, vec![waits]));
}

#[test]
fn a_saga_that_an_operator_closed_in_an_earlier_version_is_told_and_is_no_fault() {
    let log = placed();
    let mut tables = tables(&log, vec![saga("o1", SagaState::Completed, "create_shipment")]);
    tables.touched_by_operators = HashSet::from(["order-o1".to_owned()]);
    is_clean(&log, &tables);
    let mut checker = Checker::default();
    log.recorded().iter().for_each(|event| checker.observe(event));
    assert_eq!(tables.closed_orders(&checker), ["o1"]);
    tables.sagas[0].state = SagaState::Compensated;
    // Nobody can undo a saga by hand.
    finds(Rule::SagaEnds, "its saga is compensated", &log, &tables);
}

#[test]
fn a_running_saga_that_nothing_will_move_is_found() {
    let log = placed();
    let mut tables = tables(&log, vec![saga("o1", SagaState::Running, "reserve_stock")]);
    finds(Rule::SagaEnds, "has no time to be woken at", &log, &tables);
    tables.outbox = vec![sent("order-o1", "reserve_stock")];
    is_clean(&log, &tables);
    tables.outbox.clear();
    tables.sagas[0].wakes = true;
    is_clean(&log, &tables);
}

/// The sagas of the clean log: one order carried out and returned in part, one undone.
fn ended(log: &Log) -> SagaTables {
    let returned = SagaRow {
        id: "return-o1-r1".to_owned(),
        kind: SagaKind::Return,
        ..saga("o1", SagaState::Completed, "restock_return")
    };
    let sagas = vec![
        saga("o1", SagaState::Completed, "complete_order"),
        returned,
        saga("o2", SagaState::Compensated, "finish"),
    ];
    tables(log, sagas)
}

#[test]
fn every_return_and_every_cancellation_has_a_saga_that_ends_as_it_does() {
    let log = clean();
    is_clean(&log, &ended(&log));
    let mut without = ended(&log);
    without.sagas.remove(1);
    finds(
        Rule::SagaEnds,
        "Return `o1-r1` of order `o1` was asked for and has no saga",
        &log,
        &without,
    );
    for state in [SagaState::Waiting, SagaState::Compensated] {
        let mut other = ended(&log);
        other.sagas[1].state = state;
        finds(Rule::SagaEnds, "Return `o1-r1` of order `o1` is carried out, but", &log, &other);
    }
    let mut received = clean();
    received.0.truncate(received.find("o1", "RefundRequested"));
    let mut early = ended(&received);
    early.sagas.pop();
    finds(Rule::SagaEnds, "is under way, but its saga is completed", &received, &early);

    let log = cancelled();
    let cancellation = |nth: u32, state| SagaRow {
        id: format!("cancellation-o3-c{nth}"),
        kind: SagaKind::Cancellation,
        ..saga("o3", state, "settle_cancellation")
    };
    let mut tables = ended(&log);
    tables.sagas.extend([
        saga("o3", SagaState::Completed, "complete_order"),
        cancellation(1, SagaState::Completed),
        cancellation(2, SagaState::Completed),
    ]);
    is_clean(&log, &tables);
    tables.sagas[5] = cancellation(2, SagaState::Compensated);
    finds(Rule::SagaEnds, "Cancellation `o3-c2` of order `o3` is carried out, but", &log, &tables);
    tables.sagas.pop();
    finds(
        Rule::SagaEnds,
        "Cancellation `o3-c2` of order `o3` was asked for and has no",
        &log,
        &tables,
    );
}

#[test]
fn a_saga_of_nothing_in_the_log_or_of_nothing_read_so_far_is_found() {
    let log = clean();
    let mut strange = ended(&log);
    strange.sagas.push(saga("o9", SagaState::Waiting, "create_shipment"));
    finds(Rule::SagaEnds, "the log began no such saga", &log, &strange);
    let mut early = ended(&log);
    early.position = 2;
    let report = compare(&log, &early);
    assert_eq!(report.found[&Rule::SagaEnds], 3, "{:#?}", report.findings);
    assert!(report.findings[0].statement.contains("up to position 2 only"), "{report:#?}");
}

#[test]
fn a_saga_at_no_step_of_its_own_or_whose_data_says_otherwise_is_found() {
    let log = placed();
    let nowhere = saga("o1", SagaState::Waiting, "refund_payment");
    finds(Rule::SagaEnds, "which is no step of it", &log, &tables(&log, vec![nowhere]));
    let mut torn = saga("o1", SagaState::Waiting, "create_shipment");
    torn.is_whole = false;
    finds(Rule::SagaEnds, "its own data can't be read or says", &log, &tables(&log, vec![torn]));
}

#[test]
fn a_command_that_no_saga_sends_is_found() {
    let log = placed();
    let mut tables = tables(&log, vec![saga("o1", SagaState::Waiting, "create_shipment")]);
    tables.outbox = vec![sent("order-nobody", "reserve_stock")];
    finds(Rule::Outbox, "which does not exist or sends no such command", &log, &tables);
    tables.outbox = vec![SentCommand { saga_id: "order-o1".to_owned(), ..sent("order-o2", "a") }];
    finds(Rule::Outbox, "which does not exist or sends no such command", &log, &tables);
}

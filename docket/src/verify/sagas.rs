//! I9 and I12: the sagas and their outbox against the log.

use std::collections::{HashMap, HashSet};

use domain::sagas::{SagaKind, SagaState};
use invariants::{Checker, Finding, PlacedOrder, Progress, Rule};
use saga_orchestrator::{Audit, AuditedSaga};

use crate::api::segment;
use crate::numbers::counted;

/// Sagas that a note names at most.
const NAMED: usize = 5;

/// What is wrong with the sagas. The audit was read before the log, so the log knows all that it knows.
pub(super) fn check(audit: &Audit, checker: &Checker) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_outbox(audit, checker, &mut findings);
    check_waiting(audit, checker, &mut findings);
    check_ends(audit, checker, &mut findings);
    findings
}

/// What is no fault, and waits for a person all the same.
pub(super) fn notes(audit: &Audit, checker: &Checker) -> Vec<String> {
    let mut notes = Vec::new();
    let needing: Vec<&str> = audit
        .sagas
        .iter()
        .filter(|saga| saga.state == SagaState::NeedsAttention)
        .map(|saga| saga.id.as_str())
        .collect();
    if !needing.is_empty() {
        let more = if needing.len() > NAMED { ", …" } else { "" };
        let named = needing[..needing.len().min(NAMED)].join(", ");
        let need = if needing.len() == 1 { "needs" } else { "need" };
        let sagas = counted(needing.len() as u64, "saga");
        notes.push(format!("{sagas} {need} attention: {named}{more}"));
    }
    let under_way =
        checker.placed_orders().filter(|order| order.progress == Progress::UnderWay).count();
    let closed = orders_closed(audit, checker);
    if !closed.is_empty() {
        let orders = closed.join(", ");
        notes.push(format!(
            "No saga follows these orders any more, because an operator closed it in an earlier version: {orders}.",
        ));
    }
    if under_way > 0 {
        let are = if under_way == 1 { "is" } else { "are" };
        notes.push(format!("{} {are} under way.", counted(under_way as u64, "order")));
    }
    notes
}

/// A command whose event was folded is sent no more.
fn check_outbox(audit: &Audit, checker: &Checker, findings: &mut Vec<Finding>) {
    for command in &audit.outbox {
        let ended = checker.position_of_command(&command.command_id);
        if let Some(position) = ended.filter(|position| *position <= audit.position) {
            let statement = format!(
                "Command `{}` is still sent ({} times so far), but the event at position {position} bears its id.",
                command.command_id, command.sends,
            );
            findings.push(Finding::at(Rule::Outbox, vec![position], statement));
        }
    }
}

/// Whatever runs has a command on its way, a time at which it acts by itself, or a question to the payment provider
/// whose answer is not in the log, or was not when the sagas were read.
fn check_waiting(audit: &Audit, checker: &Checker, findings: &mut Vec<Finding>) {
    let sending: HashSet<&str> =
        audit.outbox.iter().map(|command| command.saga_id.as_str()).collect();
    let asking: HashSet<&str> = checker
        .placed_orders()
        .filter(|order| order.asks_provider || order.last_payment > audit.position)
        .map(|order| order.order_id)
        .collect();
    for saga in audit.sagas.iter().filter(|saga| saga.state == SagaState::Running) {
        let moves = saga.wake_at.is_some()
            || sending.contains(saga.id.as_str())
            || asking.contains(saga.order_id.as_str());
        if !moves {
            let statement = format!(
                "Saga `{}` is running at `{}`, but sends nothing, asks nothing and has no time to be woken at.",
                saga.id, saga.step,
            );
            findings.push(of_saga(&saga.id, statement));
        }
    }
}

/// The saga of every order has ended as the order has, and no sooner.
fn check_ends(audit: &Audit, checker: &Checker, findings: &mut Vec<Finding>) {
    let sagas: HashMap<&str, &AuditedSaga> = audit
        .sagas
        .iter()
        .filter(|saga| saga.kind == SagaKind::Order)
        .map(|saga| (saga.order_id.as_str(), saga))
        .collect();
    for order in checker.placed_orders().filter(|order| order.since <= audit.position) {
        let PlacedOrder { order_id, progress, since, .. } = order;
        let Some(saga) = sagas.get(order_id) else {
            let statement = format!("Order `{order_id}` was placed and has no saga.");
            findings.push(Finding::at(Rule::SagaEnds, vec![since], statement));
            continue;
        };
        let fits = match progress {
            Progress::UnderWay => !saga.state.is_ended(),
            Progress::Completed => saga.state == SagaState::Completed,
            Progress::Undone => saga.state == SagaState::Compensated,
        };
        if !fits && !is_closed(audit, saga, progress) {
            let statement = format!(
                "Order `{order_id}` is {}, but its saga is {} at `{}`.",
                in_words(progress),
                state_name(saga.state),
                saga.step,
            );
            findings.push(of_saga(&saga.id, statement));
        }
    }
}

/// Earlier versions closed a saga that an operator resolved, and left its order as it was.
fn is_closed(audit: &Audit, saga: &AuditedSaga, progress: Progress) -> bool {
    progress == Progress::UnderWay
        && saga.state == SagaState::Completed
        && audit.touched_by_operators.contains(&saga.id)
}

/// At most a few of the orders whose saga was closed so.
fn orders_closed<'c>(audit: &Audit, checker: &'c Checker) -> Vec<&'c str> {
    let closed: HashSet<&str> = audit
        .sagas
        .iter()
        .filter(|saga| is_closed(audit, saga, Progress::UnderWay))
        .map(|saga| saga.order_id.as_str())
        .collect();
    let under_way = checker.placed_orders().filter(|order| order.progress == Progress::UnderWay);
    let orders = under_way.map(|order| order.order_id);
    orders.filter(|order_id| closed.contains(order_id)).take(NAMED).collect()
}

fn in_words(progress: Progress) -> &'static str {
    match progress {
        Progress::UnderWay => "under way",
        Progress::Completed => "carried out",
        Progress::Undone => "undone",
    }
}

fn state_name(state: SagaState) -> &'static str {
    match state {
        SagaState::Running => "running",
        SagaState::Waiting => "waiting",
        SagaState::Completed => "completed",
        SagaState::Compensated => "compensated",
        SagaState::NeedsAttention => "in need of attention",
    }
}

fn of_saga(saga_id: &str, statement: String) -> Finding {
    let look = format!("GET /v1/sagas/{}/explain of the platform", segment(saga_id));
    Finding::elsewhere(Rule::SagaEnds, statement, look)
}

#[cfg(test)]
mod tests {
    use event_store::{LogIdentity, Metadata, RecordedEvent};
    use saga_orchestrator::AuditedCommand;
    use serde_json::{Value, json};

    use super::*;

    fn audit(state: SagaState) -> Audit {
        let saga = AuditedSaga {
            id: "order-o1".to_owned(),
            kind: SagaKind::Order,
            order_id: "o1".to_owned(),
            state,
            step: "capture_payment".to_owned(),
            wake_at: None,
        };
        Audit {
            log: LogIdentity { log: "l".into(), epoch: 1 },
            position: 9,
            sagas: vec![saga],
            outbox: Vec::new(),
            touched_by_operators: HashSet::new(),
        }
    }

    fn command() -> AuditedCommand {
        AuditedCommand {
            command_id: "order-o1/capture_payment/1".to_owned(),
            saga_id: "order-o1".to_owned(),
            since: service_kit::clock::system()(),
            sends: 1,
        }
    }

    /// A checker that has seen one event, by this command.
    fn seen(event_type: &str, payload: &Value, command_id: &str) -> Checker {
        let now = service_kit::clock::system()();
        let metadata = Metadata {
            command_id: command_id.into(),
            actor: "anybody".into(),
            correlation_id: command_id.into(),
            causation_id: None,
            traceparent: None,
            occurred_at: now,
        };
        let mut checker = Checker::default();
        checker.observe(&RecordedEvent {
            position: 1,
            stream: "order-o1".into(),
            version: 1,
            id: uuid::Uuid::nil(),
            event_type: event_type.into(),
            schema_version: 1,
            payload: payload.to_string(),
            metadata: metadata.into(),
            recorded_at: now,
        });
        checker
    }

    fn placed() -> Checker {
        let lines =
            json!([{ "line": 1, "sku": "mug", "quantity": 2, "unit_price": 250, "stocked": true }]);
        let placed = json!({
            "order_id": "o1", "currency": "GBP", "lines": lines, "total": 500,
            "payment_method": "pm_ok", "shipping_address": { "country": "France" },
        });
        seen("OrderPlaced", &placed, "client/o1")
    }

    #[test]
    fn a_command_that_is_still_sent_though_its_end_was_read_is_found() {
        let ended = seen("OrderCompleted", &json!({ "order_id": "o1" }), &command().command_id);
        let mut audit = audit(SagaState::Completed);
        audit.outbox.push(command());
        let [found] = &check(&audit, &ended)[..] else { unreachable!("one finding") };
        assert_eq!((found.rule, found.positions.as_slice()), (Rule::Outbox, &[1][..]));
        audit.outbox[0].command_id = "order-o1/capture_payment/2".to_owned();
        assert_eq!(check(&audit, &ended), []);
    }

    #[test]
    fn an_order_without_a_saga_and_a_saga_that_ended_before_its_order_are_found() {
        let mut ended = audit(SagaState::Completed);
        let found = check(&ended, &placed());
        assert_eq!(
            found[0].statement,
            "Order `o1` is under way, but its saga is completed at `capture_payment`."
        );
        ended.sagas.clear();
        let found = check(&ended, &placed());
        assert_eq!((found.len(), found[0].rule), (1, Rule::SagaEnds));
        assert_eq!(found[0].statement, "Order `o1` was placed and has no saga.");
        assert_eq!(check(&audit(SagaState::Waiting), &placed()), []);
    }

    #[test]
    fn a_saga_that_an_operator_closed_in_an_earlier_version_is_a_note_and_no_finding() {
        let mut closed = audit(SagaState::Completed);
        closed.touched_by_operators.insert("order-o1".to_owned());
        assert_eq!(check(&closed, &placed()), []);
        let told = notes(&closed, &placed());
        assert!(told[0].ends_with("closed it in an earlier version: o1."), "{told:?}");
        closed.sagas[0].state = SagaState::Compensated;
        assert_eq!(check(&closed, &placed()).len(), 1, "nobody can undo a saga by hand");
    }

    #[test]
    fn a_running_saga_that_nothing_will_move_is_found() {
        let forgotten = check(&audit(SagaState::Running), &Checker::default());
        assert_eq!(forgotten.len(), 1);
        assert!(forgotten[0].statement.contains("order-o1"), "{forgotten:?}");
        let mut sending = audit(SagaState::Running);
        sending.outbox.push(command());
        assert_eq!(check(&sending, &Checker::default()), []);
        assert_eq!(check(&audit(SagaState::Waiting), &Checker::default()), []);
    }

    #[test]
    fn a_saga_in_need_of_attention_is_a_note_and_no_finding() {
        let audit = audit(SagaState::NeedsAttention);
        assert_eq!(check(&audit, &Checker::default()), []);
        assert_eq!(notes(&audit, &Checker::default()), ["1 saga needs attention: order-o1"]);
    }
}

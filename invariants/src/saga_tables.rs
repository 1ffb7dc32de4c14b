//! I9 and I12: what an orchestrator keeps, its sagas and its outbox, against the log.
//!
//! The rows come from whoever read them, out of whichever store: the rules here are the same for all. They are read
//! *before* the log, so the log knows all that they know.

use std::collections::{HashMap, HashSet};

use domain::sagas::{SagaKind, SagaState};

use crate::checker::{Checker, PlacedOrder, Progress};
use crate::finding::{Finding, Rule};

/// A saga as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaRow {
    /// Its id.
    pub id: String,
    /// Which one it is.
    pub kind: SagaKind,
    /// Its order.
    pub order_id: String,
    /// Where it stands.
    pub state: SagaState,
    /// The step it is at.
    pub step: String,
    /// Whether it has a time at which it acts by itself.
    pub wakes: bool,
}

/// A command that is sent until the log shows what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCommand {
    /// Its id.
    pub command_id: String,
    /// The saga that sends it.
    pub saga_id: String,
    /// How often it was sent.
    pub sends: u32,
}

/// All that an orchestrator keeps, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SagaTables {
    /// The last position folded.
    pub position: u64,
    /// All sagas.
    pub sagas: Vec<SagaRow>,
    /// The outbox.
    pub outbox: Vec<SentCommand>,
    /// Sagas that an operator acted on. Earlier versions closed those that were resolved, whatever became of their orders.
    pub touched_by_operators: HashSet<String>,
}

impl SagaTables {
    /// Orders under way that no saga follows any more, because an operator closed it in an earlier version. No fault, but
    /// nobody will see to them.
    pub fn closed_orders<'c>(&self, checker: &'c Checker) -> Vec<&'c str> {
        let closed: HashSet<&str> = self
            .sagas
            .iter()
            .filter(|saga| self.is_closed(saga))
            .map(|saga| saga.order_id.as_str())
            .collect();
        let under_way =
            checker.placed_orders().filter(|order| order.progress == Progress::UnderWay);
        under_way.map(|order| order.order_id).filter(|order| closed.contains(order)).collect()
    }

    fn is_closed(&self, saga: &SagaRow) -> bool {
        saga.state == SagaState::Completed && self.touched_by_operators.contains(&saga.id)
    }
}

/// What is wrong with them, seen the whole log.
pub(crate) fn check(tables: &SagaTables, checker: &Checker) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_outbox(tables, checker, &mut findings);
    check_moves(tables, checker, &mut findings);
    check_ends(tables, checker, &mut findings);
    findings
}

/// A command whose event was folded is sent no more.
fn check_outbox(tables: &SagaTables, checker: &Checker, findings: &mut Vec<Finding>) {
    for command in &tables.outbox {
        let ended = checker.position_of_command(&command.command_id);
        if let Some(position) = ended.filter(|position| *position <= tables.position) {
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
fn check_moves(tables: &SagaTables, checker: &Checker, findings: &mut Vec<Finding>) {
    let sending: HashSet<&str> =
        tables.outbox.iter().map(|command| command.saga_id.as_str()).collect();
    let asking: HashSet<&str> = checker
        .placed_orders()
        .filter(|order| order.asks_provider || order.last_payment > tables.position)
        .map(|order| order.order_id)
        .collect();
    for saga in tables.sagas.iter().filter(|saga| saga.state == SagaState::Running) {
        let moves = saga.wakes
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
fn check_ends(tables: &SagaTables, checker: &Checker, findings: &mut Vec<Finding>) {
    let sagas: HashMap<&str, &SagaRow> = tables
        .sagas
        .iter()
        .filter(|saga| saga.kind == SagaKind::Order)
        .map(|saga| (saga.order_id.as_str(), saga))
        .collect();
    for order in checker.placed_orders().filter(|order| order.since <= tables.position) {
        let PlacedOrder { order_id, progress, since, .. } = order;
        let Some(saga) = sagas.get(order_id) else {
            let statement = format!("Order `{order_id}` was placed and has no saga.");
            findings.push(Finding::at(Rule::SagaEnds, vec![since], statement));
            continue;
        };
        let fits = match progress {
            Progress::UnderWay => !saga.state.is_ended() || tables.is_closed(saga),
            Progress::Completed => saga.state == SagaState::Completed,
            Progress::Undone => saga.state == SagaState::Compensated,
        };
        if !fits {
            let statement = format!(
                "Order `{order_id}` is {}, but its saga is {} at `{}`.",
                in_words(progress),
                saga.state,
                saga.step,
            );
            findings.push(of_saga(&saga.id, statement));
        }
    }
}

fn in_words(progress: Progress) -> &'static str {
    match progress {
        Progress::UnderWay => "under way",
        Progress::Completed => "carried out",
        Progress::Undone => "undone",
    }
}

fn of_saga(saga_id: &str, statement: String) -> Finding {
    let look = format!("GET /v1/sagas/{saga_id}/explain of the platform");
    Finding::elsewhere(Rule::SagaEnds, statement, look)
}

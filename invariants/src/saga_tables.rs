//! I9 and I12: what an orchestrator keeps, its sagas and its outbox, against the log.
//!
//! The rows come from whoever read them, out of whichever store: the rules here are the same for all. They are read
//! *before* the log, so the log knows all that they know.

mod begun;

use std::collections::{HashMap, HashSet};

use domain::sagas::{SagaKind, SagaState, is_step};

use crate::checker::{Checker, Progress};
use crate::finding::{Finding, Rule};
use crate::money::Money;
use crate::orders::Orders;
use begun::Begun;

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
    /// Whether its own data can be read, and says what its row says.
    pub is_whole: bool,
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
pub(crate) fn check(
    tables: &SagaTables,
    checker: &Checker,
    orders: &Orders,
    money: &Money,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_outbox(tables, checker, &mut findings);
    check_rows(tables, &mut findings);
    check_moves(tables, checker, &mut findings);
    let begun = begun::all(orders, money);
    check_known(tables, &begun, &mut findings);
    check_ends(tables, &begun, &mut findings);
    findings
}

/// A command whose event was folded is sent no more, and a saga that is there sends it.
fn check_outbox(tables: &SagaTables, checker: &Checker, findings: &mut Vec<Finding>) {
    let sagas: HashSet<&str> = tables.sagas.iter().map(|saga| saga.id.as_str()).collect();
    for SentCommand { command_id, saga_id, sends } in &tables.outbox {
        let ended = checker.position_of_command(command_id);
        if let Some(position) = ended.filter(|position| *position <= tables.position) {
            let statement = format!(
                "Command `{command_id}` is still sent ({sends} times so far), but the event at position {position} bears \
                 its id.",
            );
            findings.push(Finding::at(Rule::Outbox, vec![position], statement));
        }
        let own = command_id.strip_prefix(saga_id.as_str());
        if !sagas.contains(saga_id.as_str()) || !own.is_some_and(|rest| rest.starts_with('/')) {
            let statement = format!(
                "Command `{command_id}` is sent ({sends} times so far) for saga `{saga_id}`, which does not exist or sends \
                 no such command.",
            );
            findings.push(Finding { rule: Rule::Outbox, ..of_saga(saga_id, statement) });
        }
    }
}

/// A saga's row is what its own data says, and it stands at a step that there is.
fn check_rows(tables: &SagaTables, findings: &mut Vec<Finding>) {
    for SagaRow { id, kind, state, step, is_whole, .. } in &tables.sagas {
        if !is_whole {
            let statement = format!(
                "Saga `{id}` is {state} at `{step}` by its row, but its own data can't be read or says otherwise.",
            );
            findings.push(of_saga(id, statement));
        }
        if !is_step(*kind, step) {
            let statement = format!("Saga `{id}` is {state} at `{step}`, which is no step of it.");
            findings.push(of_saga(id, statement));
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

/// Every saga is one that the log began, by as far as the tables have read it.
fn check_known(
    tables: &SagaTables,
    begun: &HashMap<String, Begun<'_>>,
    findings: &mut Vec<Finding>,
) {
    for SagaRow { id, kind, order_id, .. } in &tables.sagas {
        let known = begun.get(id).filter(|one| one.kind == *kind && one.order_id == order_id);
        match known {
            None => {
                let statement = format!(
                    "Saga `{id}` is of order `{order_id}`, but the log began no such saga."
                );
                findings.push(of_saga(id, statement));
            }
            Some(known) if known.at > tables.position => {
                let statement = format!(
                    "Saga `{id}` is there, but the sagas have read the log up to position {} only: it began at {}.",
                    tables.position, known.at,
                );
                findings.push(Finding::at(Rule::SagaEnds, vec![known.at], statement));
            }
            Some(_) => {}
        }
    }
}

/// Whatever the log began has a saga, which has ended as the log says, and no sooner.
fn check_ends(
    tables: &SagaTables,
    begun: &HashMap<String, Begun<'_>>,
    findings: &mut Vec<Finding>,
) {
    let sagas: HashMap<&str, &SagaRow> =
        tables.sagas.iter().map(|saga| (saga.id.as_str(), saga)).collect();
    let mut due: Vec<_> = begun.iter().filter(|(_, one)| one.at <= tables.position).collect();
    due.sort_unstable_by_key(|(_, one)| one.at);
    for (id, one) in due {
        let Some(saga) = sagas.get(id.as_str()) else {
            let asked = if one.kind == SagaKind::Order { "placed" } else { "asked for" };
            let statement = format!("{} was {asked} and has no saga.", one.named());
            findings.push(Finding::at(Rule::SagaEnds, vec![one.at], statement));
            continue;
        };
        let is_closed = tables.is_closed(saga) && one.ended_by(tables.position).is_none();
        if !one.allows(saga.state, tables.position) && !is_closed {
            let statement = format!(
                "{} is {}, but its saga is {} at `{}`.",
                one.named(),
                one.standing(tables.position),
                saga.state,
                saga.step,
            );
            findings.push(Finding::at(Rule::SagaEnds, vec![one.shown_at()], statement));
        }
    }
}

fn of_saga(saga_id: &str, statement: String) -> Finding {
    let look = format!("GET /v1/sagas/{saga_id}/explain of the platform");
    Finding::elsewhere(Rule::SagaEnds, statement, look)
}

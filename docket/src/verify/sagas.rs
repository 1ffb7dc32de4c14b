//! What an orchestrator keeps, as the checker takes it, and what should be known of it.

use domain::sagas::SagaState;
use invariants::{Checker, Progress, SagaRow, SagaTables, SentCommand};
use saga_orchestrator::Audit;

use crate::numbers::counted;

/// Sagas that a note names at most.
const NAMED: usize = 5;

/// The same as plain rows.
pub(super) fn tables(audit: &Audit) -> SagaTables {
    let sagas = audit.sagas.iter().map(|saga| SagaRow {
        id: saga.id.clone(),
        kind: saga.kind,
        order_id: saga.order_id.clone(),
        state: saga.state,
        step: saga.step.clone(),
        wakes: saga.wake_at.is_some(),
        is_whole: saga.is_whole,
    });
    let outbox = audit.outbox.iter().map(|command| SentCommand {
        command_id: command.command_id.clone(),
        saga_id: command.saga_id.clone(),
        sends: command.sends,
    });
    SagaTables {
        position: audit.position,
        sagas: sagas.collect(),
        outbox: outbox.collect(),
        touched_by_operators: audit.touched_by_operators.clone(),
    }
}

/// What is no fault, and waits for a person all the same.
pub(super) fn notes(tables: &SagaTables, checker: &Checker) -> Vec<String> {
    let mut notes = Vec::new();
    let needing: Vec<&str> = tables
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
    let mut closed = tables.closed_orders(checker);
    closed.truncate(NAMED);
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use domain::sagas::SagaKind;

    use super::*;

    #[test]
    fn a_saga_in_need_of_attention_is_noted() {
        let saga = SagaRow {
            id: "order-o1".to_owned(),
            kind: SagaKind::Order,
            order_id: "o1".to_owned(),
            state: SagaState::NeedsAttention,
            step: "capture_payment".to_owned(),
            wakes: false,
            is_whole: true,
        };
        let tables = SagaTables {
            position: 9,
            sagas: vec![saga],
            outbox: Vec::new(),
            touched_by_operators: HashSet::new(),
        };
        let told = notes(&tables, &Checker::default());
        assert_eq!(told, ["1 saga needs attention: order-o1"]);
    }
}

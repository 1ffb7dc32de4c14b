//! Whether everything came to its end, and whether all of it may stand.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use domain::sagas::{SagaKind, SagaState};
use event_store::{EventLog as _, RecordedEvent};
use invariants::{Checker, SagaRow, SagaTables, SentCommand};
use messaging::jetstream::decode;
use saga_orchestrator::Audit;

use super::clients::Told;
use super::state::World;
use crate::violation::Violation;

impl World {
    /// What has not come to its end yet, in words; empty when all has.
    pub(crate) async fn unsettled(&self) -> Vec<String> {
        let head = *self.log().head().borrow();
        let Some(audit) = self.tables.audit() else { return vec!["no saga was folded".to_owned()] };
        let mut open = Vec::new();
        if audit.position < head {
            open.push(format!("the sagas stand at {} of {head}", audit.position));
        }
        let sent = audit.outbox.iter();
        open.extend(sent.map(|sent| format!("{} is sent since {}", sent.command_id, sent.since)));
        let sagas = audit.sagas.iter().filter(|saga| !saga.state.is_ended());
        open.extend(
            sagas.map(|saga| format!("saga {} is {} at {}", saga.id, saga.state, saga.step)),
        );
        let models = self.models.positions();
        if models.is_empty() {
            open.push("no read model was opened".to_owned());
        }
        let behind = models.iter().filter(|(_, position)| *position < head);
        open.extend(
            behind.map(|(name, position)| format!("{name} stands at {position} of {head}")),
        );
        open.extend(self.projecting().as_ref().and_then(|one| one.stands_still()));
        let parked = self.models.parked().into_iter();
        open.extend(parked.map(|(name, _, key)| format!("`{key}` of {name} is parked")));
        if self.plan.retained.is_some() && self.events.last() != Some(head) {
            open.push(format!("the stream ends at {:?} of {head}", self.events.last()));
        }
        for intent in self.log().open_intents().await.unwrap_or_default() {
            if !intent.payload.contains("\"intent\":\"watch\"") {
                open.push(format!("intent {} is open", intent.id));
            }
        }
        open
    }

    /// Everything that should not be so.
    pub(crate) async fn judge(&self) -> Vec<Violation> {
        let mut violations = self.repeat_everything().await;
        self.note_faults();
        self.note_forgotten();
        let rows = self.bank.rows();
        let events = self.log().read_all(0, usize::MAX).await.unwrap_or_default();
        let again = self.log().read_all(0, usize::MAX).await.unwrap_or_default();
        if events != again {
            violations.push(Violation::of("I5", "Two reads of the log differ.".to_owned()));
        }
        violations.extend(self.stream_is_a_copy(&events));
        let differences = self.models.differences(&events).into_iter().take(3);
        violations.extend(differences.map(|what| Violation::of("I11", what)));
        let mut checker = Checker::default();
        for event in &events {
            checker.observe(event);
        }
        checker.compare_ledger_read_before(&rows);
        checker.compare_ledger_read_after(&rows);
        if let Some(audit) = self.tables.audit() {
            checker.compare_sagas_read_before(&tables(&audit));
            violations.extend(self.operators(&audit));
            self.note_what_happened(&audit, &events);
        }
        violations.extend(self.acknowledged(&checker));
        violations.extend(self.violations.all());
        violations.extend(checker.finish().findings.iter().map(Violation::from));
        violations
    }

    /// I1, I2, I14: whoever asks again what was done gets the same answer, and nothing is done by it.
    async fn repeat_everything(&self) -> Vec<Violation> {
        let head = *self.log().head().borrow();
        let done: Vec<_> = {
            let entries = self.journal.entries();
            let done = entries.iter().filter(|(_, entry)| entry.done.is_some());
            done.map(|(key, entry)| (key.clone(), entry.command.clone())).collect()
        };
        let mut violations = Vec::new();
        for (key, command) in done {
            match self.ask(&key, &command).await {
                Told::Done(outcome) if outcome.replayed => {}
                told => violations.push(Violation::of(
                    "I1",
                    format!("`{key}` was acknowledged; asked again the answer was {told:?}."),
                )),
            }
        }
        let now = *self.log().head().borrow();
        if now != head {
            let positions = (head + 1..=now).take(5).collect();
            let statement = "Repeats of what was acknowledged left events.".to_owned();
            violations.push(Violation { rule: "I2".to_owned(), statement, positions });
        }
        violations
    }

    /// I1 and I3: what left events was acknowledged so, and what was refused left none.
    fn acknowledged(&self, checker: &Checker) -> Vec<Violation> {
        let entries = self.journal.entries();
        let wrong = entries.iter().filter_map(|(key, entry)| {
            let there = checker.position_of_command(&format!("client/{key}"));
            let left_events = entry.done.as_ref().map(|done| !done.body.contains(":0}"));
            match (left_events, there) {
                (Some(true), None) => Some(Violation::of(
                    "I1",
                    format!("`{key}` was acknowledged and is not in the log."),
                )),
                (None, Some(position)) if entry.refused => Some(Violation {
                    rule: "I3".to_owned(),
                    statement: format!("`{key}` was refused at last, and is in the log."),
                    positions: vec![position],
                }),
                _ => None,
            }
        });
        wrong.collect()
    }

    /// I1: what an operator was told to be done is kept.
    fn operators(&self, audit: &Audit) -> Vec<Violation> {
        let helped = self.helped.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = helped.iter().filter(|saga| !audit.touched_by_operators.contains(*saga));
        lost.map(|saga| {
            Violation::of(
                "I1",
                format!("An operator acted on saga `{saga}`, which has forgotten it."),
            )
        })
        .collect()
    }

    /// I12: what stands in the stream as the log's event of its sequence is that. A stray message that was followed by others may stay:
    /// the relay looks at the end only, and every reader passes it over.
    fn stream_is_a_copy(&self, events: &[RecordedEvent]) -> Vec<Violation> {
        let identity = self.log().identity();
        let wrong = self.events.dump().into_iter().filter_map(|(sequence, envelope)| {
            let there = decode(&envelope).ok()?;
            let is_taken = there.log == identity && there.event.position == sequence;
            let place = usize::try_from(sequence).ok()?.checked_sub(1)?;
            let is_ours = events.get(place) == Some(&there.event);
            (is_taken && !is_ours).then(|| Violation {
                rule: "I12".to_owned(),
                statement: format!("What stands at {sequence} of the stream is not the log's."),
                positions: vec![sequence],
            })
        });
        wrong.collect()
    }

    /// What can be seen from how it ended.
    fn note_what_happened(&self, audit: &Audit, events: &[RecordedEvent]) {
        for saga in &audit.sagas {
            match (saga.kind, saga.state) {
                (SagaKind::Order, SagaState::Compensated) => self.trace.happened("a compensation"),
                (SagaKind::Return, SagaState::Completed) => {
                    self.trace.happened("a return that was paid back");
                }
                (SagaKind::Cancellation, SagaState::Completed) => {
                    self.trace.happened("a cancellation after the pivot");
                }
                _ => {}
            }
        }
        if self.tables.takeovers() > 0 {
            self.trace.happened("a takeover of the sagas");
        }
        let mut unknown = BTreeSet::new();
        for event in events {
            match event.event_type.as_ref() {
                "PaymentOutcomeUnknown" => {
                    unknown.insert(&event.stream);
                }
                "PaymentAuthorized" | "PaymentCaptured" | "PaymentDeclined"
                    if unknown.contains(&event.stream) =>
                {
                    self.trace.happened("a payment outcome unknown that turned out");
                }
                _ => {}
            }
        }
    }
}

/// What an orchestrator keeps, as the checker takes it.
fn tables(audit: &Audit) -> SagaTables {
    let sagas = audit.sagas.iter().map(|saga| SagaRow {
        id: saga.id.clone(),
        kind: saga.kind,
        order_id: saga.order_id.clone(),
        state: saga.state,
        step: saga.step.clone(),
        wakes: saga.wake_at.is_some(),
        is_whole: saga.is_whole,
    });
    let outbox = audit.outbox.iter().map(|sent| SentCommand {
        command_id: sent.command_id.clone(),
        saga_id: sent.saga_id.clone(),
        sends: sent.sends,
    });
    SagaTables {
        position: audit.position,
        sagas: sagas.collect(),
        outbox: outbox.collect(),
        touched_by_operators: audit.touched_by_operators.clone(),
    }
}

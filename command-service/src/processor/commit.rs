//! The end of a batch: it is sent to the log until its outcome is known, and everyone is told theirs.
//!
//! **Invariant:** a state that was folded ahead of its commit leaves the cache as soon as that commit is in doubt.

use std::collections::HashMap;
use std::mem;
use std::time::{Duration, Instant};

use domain::stream::Stream;
use event_store::{AppendError, Position, StoredAnswer, Verdict};

use super::batch::Job;
use super::decision::{Decision, Say};
use super::request::{ExecuteError, Outcome};
use super::snapshots;
use super::worker::Worker;

/// The longest pause before a batch is sent again: whoever waits for a log that is back does not wait long.
const RESEND_MOST: Duration = Duration::from_secs(1);

/// What came of sending a batch to the log.
pub(super) struct Appended {
    verdicts: Vec<Verdict>,
    /// The head that was known before it was sent first.
    head: Position,
    /// True when it was sent more than once: a transaction that is applied already may be ours.
    resent: bool,
}

impl Appended {
    /// Whether a command that is applied already was applied by this very decision, in an attempt whose answer was lost.
    /// What was answered to anybody before lies at or before the head that was known. A decision without events has no
    /// place of its own, so its command was looked for right before: it was new then.
    fn is_by(&self, decision: &Decision, stored: &StoredAnswer) -> bool {
        let is_new = decision.events.is_empty() || stored.position > self.head;
        self.resent && matches!(decision.verdict, Say::Done(_)) && is_new
    }
}

impl Worker {
    /// Sends the batch until the log says what became of it. An append that failed may have been carried out, or may
    /// still be: the same transactions are sent again, and the verdicts are final then.
    pub(super) async fn append(
        &mut self,
        decided: &[(Job, Decision)],
    ) -> Result<Appended, ExecuteError> {
        let begun = Instant::now();
        let head = *self.head.borrow();
        let deadline = tokio::time::Instant::now() + self.settings.unknown_deadline;
        let mut pause = self.settings.resend_first;
        let mut resent = false;
        loop {
            let batch = decided.iter().map(|(_, decision)| decision.transaction.clone());
            let call = self.log.append(batch.collect());
            match tokio::time::timeout(self.settings.call_timeout, call).await {
                Ok(Ok(verdicts)) if verdicts.len() == decided.len() => {
                    metrics::histogram!("docket_append_duration_seconds")
                        .record(begun.elapsed().as_secs_f64());
                    return Ok(Appended { verdicts, head, resent });
                }
                Ok(Ok(verdicts)) => {
                    let (sent, got) = (decided.len(), verdicts.len());
                    tracing::error!(sent, got, "the log gave another number of verdicts");
                    self.evict_all(decided);
                    return Err(ExecuteError::Broken);
                }
                Ok(Err(error @ AppendError::EventTooLarge { .. })) => {
                    tracing::error!(%error, "an event was checked to be small enough, and was not");
                    self.evict_all(decided);
                    return Err(ExecuteError::Broken);
                }
                Ok(Err(error @ AppendError::Superseded)) => {
                    tracing::warn!(%error, "a batch was refused whole");
                    self.evict_all(decided);
                    // An earlier attempt may have been carried out before the other writer came.
                    let unknown = ExecuteError::OutcomeUnknown;
                    return Err(if resent { unknown } else { ExecuteError::Unavailable });
                }
                Ok(Err(AppendError::Store(error))) => {
                    tracing::warn!(error = ?error, "an append failed; its outcome is unknown");
                }
                Err(_) => {
                    tracing::warn!("an append was not answered in time; its outcome is unknown");
                }
            }
            resent = true;
            self.evict_all(decided);
            if tokio::time::Instant::now() + pause > deadline {
                return Err(ExecuteError::OutcomeUnknown);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RESEND_MOST);
        }
    }

    fn evict_all(&mut self, decided: &[(Job, Decision)]) {
        let streams = decided.iter().flat_map(|(_, decision)| &decision.streams);
        streams.for_each(|stream| self.cache.evict(stream));
    }

    /// Tells everyone what became of their command; returns those that lost to a conflict and go again.
    pub(super) fn conclude(
        &mut self,
        decided: Vec<(Job, Decision)>,
        mut appended: Appended,
    ) -> Vec<Job> {
        let mut again = Vec::new();
        let mut lengths: HashMap<Stream, u64> = HashMap::new();
        let mut answers = Vec::with_capacity(decided.len());
        let verdicts = mem::take(&mut appended.verdicts);
        for ((mut job, decision), verdict) in decided.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Committed { position, version } => {
                    for event in &decision.events {
                        *lengths.entry(event.stream()).or_default() += 1;
                    }
                    self.tell_observers(&decision);
                    answers.push((job, said(decision.verdict, version, position)));
                }
                Verdict::Conflict { stream } => {
                    decision.streams.iter().for_each(|stream| self.cache.evict(stream));
                    metrics::counter!("docket_command_conflicts_total").increment(1);
                    job.conflicts += 1;
                    if job.conflicts < self.settings.attempts {
                        again.push(job);
                    } else {
                        tracing::warn!(%stream, "a command lost to conflicts too often");
                        answers.push((job, Err(ExecuteError::Unavailable)));
                    }
                }
                Verdict::AlreadyApplied(stored) => {
                    decision.streams.iter().for_each(|stream| self.cache.evict(stream));
                    let is_ours = appended.is_by(&decision, &stored);
                    if is_ours {
                        self.tell_observers(&decision);
                    } else {
                        self.met_repeats = true;
                    }
                    let outcome = Outcome { replayed: !is_ours, ..Outcome::replayed(stored) };
                    answers.push((job, Ok(outcome)));
                }
                Verdict::KeyReused => {
                    self.met_repeats = true;
                    decision.streams.iter().for_each(|stream| self.cache.evict(stream));
                    answers.push((job, Err(ExecuteError::KeyReused)));
                }
            }
        }
        let every = self.settings.snapshot_every;
        snapshots::save(&self.log, self.schema_hash, &self.cache, &lengths, every);
        for (job, answer) in answers {
            job.answer(answer);
        }
        again
    }

    fn tell_observers(&self, decision: &Decision) {
        if decision.events.is_empty() && decision.transaction.intents.is_empty() {
            return;
        }
        for observer in &self.observers {
            observer.committed(&decision.events, &decision.transaction.intents);
        }
    }
}

fn said(say: Say, version: u64, position: u64) -> Result<Outcome, ExecuteError> {
    match say {
        Say::Done(answer) => {
            let (status, body) = (answer.status, answer.body);
            Ok(Outcome { status, body, version, position, replayed: false })
        }
        Say::Not(error) => Err(error),
    }
}

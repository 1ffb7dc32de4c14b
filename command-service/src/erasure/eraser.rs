//! Destroys keys and ends the intents to do so, now and every so often.

use std::sync::Arc;
use std::time::Duration;

use domain::command::Command;
use event_store::keys::Vault;
use event_store::{EventLog, Mark, Metadata, StoreError};
use service_kit::clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::processor::{Answer, ProcessorHandle, Request, WithoutEffect};
use crate::request_hash::RequestHasher;
use crate::side_effects::SideEffect;

use super::open::ENDS;
use super::replay::{end_of, replay_erasures};

/// How often open erasures are looked for.
const EVERY: Duration = Duration::from_secs(30);
/// How soon again after the first failure; doubles with each.
const AGAIN: Duration = Duration::from_secs(1);

/// The wait before the next round, after so many rounds in a row that failed.
pub(super) fn wait_after(failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => EVERY,
        Some(before) => AGAIN.saturating_mul(1 << before.min(16)).min(EVERY),
    }
}

/// Destroys keys and ends the intents to do so.
#[derive(Clone)]
pub(crate) struct Eraser {
    vault: Arc<Vault>,
    processor: ProcessorHandle,
    hasher: RequestHasher,
    clock: Clock,
}

impl Eraser {
    pub(crate) fn new(
        vault: Arc<Vault>,
        processor: ProcessorHandle,
        hasher: RequestHasher,
        clock: Clock,
    ) -> Self {
        Self { vault, processor, hasher, clock }
    }

    /// Destroys the person's key after the erasing command `id`; again is harmless.
    pub(crate) async fn finish(
        &self,
        id: &str,
        person: &str,
        command: Command,
    ) -> Result<(), StoreError> {
        self.vault.erase(person, (self.clock)()).await?;
        // The key is gone: if this append fails, the next round finds the intent and destroys nothing once more.
        if let Err(error) = self.processor.execute(self.end(id, command)).await {
            tracing::warn!(%error, %id, "the end of an erasure is not recorded yet");
        }
        Ok(())
    }

    /// Finishes what is open and notes it, now and every so often; after a failure sooner, and then with longer and longer
    /// waits.
    pub(crate) async fn keep_finishing(self, log: Arc<dyn EventLog>, stop: CancellationToken) {
        let (mut failures, mut noted) = (0, None);
        loop {
            let finished = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                finished = self.finish_and_note(&*log, &mut noted) => finished,
            };
            failures = if finished { 0 } else { failures + 1 };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait_after(failures)) => {}
            }
        }
    }

    /// True when nothing is left to be done.
    async fn finish_and_note(&self, log: &dyn EventLog, noted: &mut Option<Mark>) -> bool {
        let to = match end_of(log).await {
            Ok(to) => to,
            Err(error) => {
                tracing::error!(%error, "the log can't be read for erasures; tried again soon");
                return false;
            }
        };
        // Read after the end of the log: whatever was erased up to there is among the open ones, or its key is gone.
        if !self.finish_open(log).await {
            return false;
        }
        match self.note(log, noted.take(), to).await {
            Ok(now) => {
                *noted = Some(now);
                true
            }
            Err(error) => {
                tracing::error!(%error, "how far erasures are applied can't be noted; tried again soon");
                false
            }
        }
    }

    /// Notes that everyone erased up to `to` has no key. A key store that says something else than was noted last was put
    /// back from a backup: what happened since is applied again.
    pub(super) async fn note(
        &self,
        log: &dyn EventLog,
        noted: Option<Mark>,
        to: Mark,
    ) -> Result<Mark, StoreError> {
        let stands = self.vault.erasures_applied().await?;
        if noted.is_none() || stands != noted || noted.as_ref().is_some_and(|at| at.log != to.log) {
            return replay_erasures(log, &self.vault).await;
        }
        if stands.as_ref() != Some(&to)
            && !self.vault.note_erasures_applied(noted.as_ref(), &to).await?
        {
            return replay_erasures(log, &self.vault).await;
        }
        Ok(to)
    }

    /// True when nothing is left to be done.
    async fn finish_open(&self, log: &dyn EventLog) -> bool {
        let open = match log.open_intents().await {
            Ok(open) => open,
            Err(error) => {
                tracing::error!(%error, "open erasures could not be read; tried again soon");
                return false;
            }
        };
        let mut finished = true;
        for intent in open {
            let Ok(SideEffect::Erasure(open)) = serde_json::from_str(&intent.payload) else {
                continue;
            };
            if let Err(error) = self.finish(&intent.id, &open.person, open.command).await {
                tracing::error!(%error, id = %intent.id, "a key could not be destroyed; tried again soon");
                finished = false;
            }
        }
        finished
    }

    pub(super) fn end(&self, id: &str, command: Command) -> Request {
        let command_id: Arc<str> = format!("{ENDS}{id}").into();
        Request {
            command_id: Arc::clone(&command_id),
            request_hash: self.hasher.hash(&[command_id.as_bytes()]),
            command,
            expected: None,
            metadata: Arc::new(Metadata {
                command_id,
                actor: "erasure".into(),
                correlation_id: id.into(),
                causation_id: Some(id.into()),
                traceparent: None,
                occurred_at: (self.clock)(),
            }),
            answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
            without_effect: WithoutEffect::Answer,
        }
    }
}

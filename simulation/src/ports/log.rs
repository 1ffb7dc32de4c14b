//! The log as one process reaches it: calls get lost before or after they are carried out, or come late.

use std::error::Error;
use std::sync::{Arc, PoisonError};

use event_store::memory::MemoryLog;
use event_store::{
    AppendError, AppendTransaction, EventLog, Intent, LoadRequest, Loaded, LogIdentity, Position,
    RecordedEvent, Snapshot, StoreError, StreamId, Verdict, Version,
};
use futures::future::BoxFuture;
use messaging::jetstream::EpochKeeper;
use tokio::sync::watch;

use super::built_on::Batch;
use super::heads::Heads;
use super::late::Late;
use crate::process::Process;
use crate::trace::Trace;
use crate::violation::Violations;
use crate::weather::{Mishap, Weather};
use crate::world::Writer;

/// The log behind a network.
#[derive(Clone)]
pub(crate) struct FaultyLog {
    pub(crate) log: Arc<MemoryLog>,
    /// The log for the writer that took it over last.
    pub(crate) newest: Writer,
    pub(crate) violations: Arc<Violations>,
    pub(crate) heads: Arc<Heads>,
    /// Appends of this process that it gave up, and that are still on their way.
    pub(crate) late: Arc<Late>,
    pub(crate) process: Arc<Process>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) trace: Arc<Trace>,
}

impl FaultyLog {
    async fn append_now(&self, batch: Vec<AppendTransaction>) -> Result<Vec<Verdict>, AppendError> {
        let commands: Vec<_> = batch.iter().map(|one| Arc::clone(&one.command_id)).collect();
        let sent = Batch::of(&batch);
        let appended = self.log.append(batch).await;
        match &appended {
            Ok(verdicts) => {
                self.check_fence(verdicts);
                self.check_ground(&sent, verdicts);
                for (command, verdict) in commands.iter().zip(verdicts) {
                    self.tell(command, verdict);
                }
            }
            Err(error) => {
                self.trace.tell(format_args!("{} appends: {error}", self.process.name));
                if matches!(error, AppendError::Superseded) {
                    self.trace.happened("a takeover of the log, and the old writer refused");
                }
            }
        }
        self.heads.tell(*self.log.head().borrow());
        appended
    }

    /// Who was taken over appends nothing any more.
    fn check_fence(&self, verdicts: &[Verdict]) {
        let is_newest =
            Arc::ptr_eq(&self.log, &self.newest.lock().unwrap_or_else(PoisonError::into_inner));
        let appended = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Committed { .. }));
        if appended && !is_newest {
            let statement = format!("{} appended after it was taken over.", self.process.name);
            self.violations.found("fence", statement);
        }
    }

    /// What saw what another would have written, and did not write, is not written either: whatever the versions are.
    fn check_ground(&self, sent: &Batch, verdicts: &[Verdict]) {
        if let Some(command) = sent.built_on_nothing(verdicts) {
            let statement =
                format!("`{command}` was committed, and what it was decided on was not.");
            self.violations.found("ground", statement);
        }
    }

    fn tell(&self, command: &str, verdict: &Verdict) {
        let name = &self.process.name;
        match verdict {
            Verdict::Committed { position, version } => {
                self.trace.tell(format_args!(
                    "{name} appends {command}: position {position}, version {version}"
                ));
            }
            Verdict::Conflict { stream } => {
                self.trace.tell(format_args!("{name} appends {command}: conflict in {stream}"));
                self.trace.happened("an optimistic conflict");
            }
            Verdict::AlreadyApplied(answer) => {
                let position = answer.position;
                self.trace.tell(format_args!("{name} appends {command}: known, {position}"));
                self.trace.happened("a dedupe hit");
            }
            Verdict::KeyReused => {
                self.trace.tell(format_args!("{name} appends {command}: another body"));
            }
        }
    }

    /// Appends when the caller has given up: long ago, or just now, so that it meets what is sent again; or right before the next that
    /// is decided on what it changes.
    fn append_late(&self, batch: Vec<AppendTransaction>) {
        if self.weather.has_meetings() && self.weather.draw(|rng| rng.chance(500)) {
            // Until it is given up, or it would only meet itself.
            self.weather.breaks(Mishap::LogUnreached, self.weather.silence());
            return self.late.keep(batch);
        }
        let soon = self.weather.draw(|rng| rng.chance(250));
        let delay = if soon { self.weather.moment() } else { self.weather.long_delay() };
        let (this, token) = (self.clone(), self.late.token());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if this.late.token() != token {
                this.trace.happened("an append that was given up and never came");
                return;
            }
            this.trace.happened("an append that came late");
            // Nobody hears of it.
            drop(this.append_now(batch).await);
        });
    }

    async fn reach(&self, operation: &'static str) -> Result<(), StoreError> {
        self.process.hop(&self.weather).await;
        if self.weather.strikes(Mishap::LogUnreached) {
            return Err(StoreError::new(operation, "the log can't be reached"));
        }
        Ok(())
    }
}

impl EventLog for FaultyLog {
    fn identity(&self) -> LogIdentity {
        self.log.identity()
    }

    fn append(
        &self,
        batch: Vec<AppendTransaction>,
    ) -> BoxFuture<'_, Result<Vec<Verdict>, AppendError>> {
        Box::pin(async move {
            self.process.hop(&self.weather).await;
            let lost = || AppendError::Store(StoreError::new("append", "the connection is lost"));
            if self.weather.strikes(Mishap::LogUnreached) {
                self.trace.happened("an append of unknown outcome");
                return Err(lost());
            }
            let is_slow = self.weather.strikes(Mishap::LogLate);
            let is_late = !is_slow && self.weather.strikes(Mishap::LogLate);
            if is_slow {
                // Late, and not too late: meanwhile what it was decided on may change.
                tokio::time::sleep(self.weather.moment() * 10).await;
                self.process.pass().await;
            }
            if is_late {
                self.trace.happened("an append of unknown outcome");
                if self.weather.draw(|rng| rng.chance(400)) {
                    // Until the writer gives it up: what it decides then, the late append may take the ground from.
                    self.weather.breaks(Mishap::LogUnreached, self.weather.silence());
                }
                self.append_late(batch);
                return Err(lost());
            }
            for overtaken in self.late.arriving(&batch, self.weather.is_calm()) {
                self.trace.happened("an append that came late");
                // Nobody hears of it.
                drop(self.append_now(overtaken).await);
            }
            let appended = self.append_now(batch).await;
            self.process.hop(&self.weather).await;
            if self.weather.strikes(Mishap::LogAnswerLost) {
                self.trace.happened("an append of unknown outcome");
                return Err(lost());
            }
            appended
        })
    }

    fn shut_out(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            self.reach("shut out what was given up").await?;
            if self.late.shut_out() {
                self.trace.happened("an append that was given up and never came");
            }
            Ok(())
        })
    }

    fn load(&self, request: LoadRequest) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        Box::pin(async move {
            self.reach("load").await?;
            let loaded = self.log.load(request).await;
            self.process.pass().await;
            loaded
        })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, StoreError>> {
        Box::pin(async move {
            self.reach("read a stream").await?;
            self.log.read_stream(stream, after, limit).await
        })
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, StoreError>> {
        Box::pin(async move {
            self.reach("read the log").await?;
            self.log.read_all(after, limit).await
        })
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.heads.listen(*self.log.head().borrow())
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, StoreError>> {
        Box::pin(async move {
            self.reach("read open intents").await?;
            self.log.open_intents().await
        })
    }

    fn save_snapshots(
        &self,
        schema_hash: u64,
        snapshots: Vec<Snapshot>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.reach("save snapshots").await?;
            self.log.save_snapshots(schema_hash, snapshots).await
        })
    }
}

impl EpochKeeper for FaultyLog {
    fn current(&self) -> BoxFuture<'_, Result<LogIdentity, Box<dyn Error + Send + Sync>>> {
        Box::pin(async {
            self.reach("read the epoch").await?;
            Ok(self.log.identity())
        })
    }

    fn raise_above<'a>(
        &'a self,
        seen: u32,
        why: &'a str,
    ) -> BoxFuture<'a, Result<LogIdentity, Box<dyn Error + Send + Sync>>> {
        Box::pin(async move {
            self.reach("raise the epoch").await?;
            let mut raised = self.log.raise_epoch()?;
            while raised.epoch <= seen {
                raised = self.log.raise_epoch()?;
            }
            self.trace.tell(format_args!("epoch {}: {why}", raised.epoch));
            Ok(raised)
        })
    }
}

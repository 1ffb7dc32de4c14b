//! The processor's loop: take what waits, settle, decide, append, answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use domain::decide::{Context, Decide};
use domain::stream::Stream;
use event_store::{AppendError, EventLog, LoadRequest, Loaded, Verdict};
use service_kit::clock::Clock;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::batch::{Job, split_repeats};
use super::cache::StateCache;
use super::decision::{Decision, Say, Undecided, decide};
use super::lanes::Lanes;
use super::loading::{self, LoadError};
use super::observer::Observer;
use super::request::{ExecuteError, Outcome};
use super::settings::ProcessorSettings;
use super::snapshots;

/// Loads that one batch may need, one after another, before its last commands are given up.
const ROUNDS: usize = 64;

/// The one task that owns the cache.
pub(super) struct Worker {
    log: Arc<dyn EventLog>,
    clock: Clock,
    settings: ProcessorSettings,
    observers: Vec<Arc<dyn Observer>>,
    cache: StateCache,
    schema_hash: u64,
}

/// What came of sending a batch to the log.
struct Appended {
    verdicts: Vec<Verdict>,
    /// True when it was sent more than once: a transaction that is applied already may be ours.
    resent: bool,
}

impl Worker {
    pub(super) fn new(
        log: Arc<dyn EventLog>,
        clock: Clock,
        settings: ProcessorSettings,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Self {
        let cache = StateCache::new(settings.cached_states);
        Self { log, clock, settings, observers, cache, schema_hash: snapshots::schema_hash() }
    }

    /// Runs until `stop`, and then until nothing waits any more.
    pub(super) async fn run(mut self, mut lanes: Lanes<Job>, stop: CancellationToken) {
        let mut carried = Vec::new();
        loop {
            let mut batch = std::mem::take(&mut carried);
            if batch.is_empty() {
                let Some(first) = lanes.next(&stop).await else { return };
                batch.push(first);
            }
            lanes.fill(&mut batch, self.settings.batch);
            #[expect(clippy::cast_precision_loss, reason = "a gauge; queues are short")]
            metrics::gauge!("docket_command_queue_depth").set(lanes.len() as f64);
            carried = self.process(batch).await;
            self.cache.age();
        }
    }

    /// One batch; returns the commands that have to go again.
    async fn process(&mut self, batch: Vec<Job>) -> Vec<Job> {
        let (distinct, mut carried) = split_repeats(batch);
        let decided = self.settle_and_decide(distinct).await;
        if decided.is_empty() {
            return carried;
        }
        #[expect(clippy::cast_precision_loss, reason = "a histogram; batches are small")]
        metrics::histogram!("docket_command_batch_size").record(decided.len() as f64);
        let _appends = spans_of_append(&decided);
        match self.append(&decided).await {
            Ok(appended) => carried.extend(self.conclude(decided, appended)),
            Err(error) => answer_all(decided.into_iter().map(|(job, _)| job), &error),
        }
        carried
    }

    /// Answers the known commands from the store and decides the others one after another, each on what the earlier
    /// ones decided. One that needs further streams goes after the others, when they are loaded.
    async fn settle_and_decide(&mut self, mut waiting: Vec<Job>) -> Vec<(Job, Decision)> {
        let context = Context { now: (self.clock)() };
        let mut decided = Vec::with_capacity(waiting.len());
        let mut wanted: HashSet<Stream> =
            waiting.iter().flat_map(|job| job.request.command.reads()).collect();
        let mut unreadable = HashSet::new();
        for _ in 0..ROUNDS {
            let loaded = match self.load(&waiting, &wanted, &mut unreadable).await {
                Ok(loaded) => loaded,
                Err(error) => {
                    answer_all(waiting, &error);
                    return decided;
                }
            };
            wanted.clear();
            let mut postponed = Vec::new();
            for job in waiting {
                if let Some(known) = loaded.commands.get(&job.request.command_id) {
                    job.answer_known(known);
                    continue;
                }
                let decided_now = {
                    let _decides = tracing::info_span!(parent: &job.span, "decide").entered();
                    decide(&job.request, &self.cache, &context)
                };
                match decided_now {
                    Ok(decision) => {
                        decision.events.iter().for_each(|event| self.cache.evolve(event));
                        decided.push((job, decision));
                    }
                    Err(Undecided::Failed(error)) => job.answer(Err(error)),
                    Err(Undecided::Missing(streams))
                        if streams.iter().any(|s| unreadable.contains(s)) =>
                    {
                        job.answer(Err(ExecuteError::Broken));
                    }
                    Err(Undecided::Missing(streams)) => {
                        wanted.extend(streams);
                        postponed.push(job);
                    }
                }
            }
            waiting = postponed;
            if waiting.is_empty() {
                return decided;
            }
        }
        tracing::error!(commands = waiting.len(), "commands asked for ever more streams");
        answer_all(waiting, &ExecuteError::Broken);
        decided
    }

    /// Asks the log for the commands' ids and for the streams that the cache lacks, in one go.
    async fn load(
        &mut self,
        jobs: &[Job],
        wanted: &HashSet<Stream>,
        unreadable: &mut HashSet<Stream>,
    ) -> Result<Loaded, ExecuteError> {
        let streams: Vec<&Stream> =
            wanted.iter().filter(|stream| !self.cache.touch(stream)).collect();
        let request = LoadRequest {
            commands: jobs.iter().map(|job| Arc::clone(&job.request.command_id)).collect(),
            streams: streams.iter().map(|stream| crate::codec::stream_id(stream)).collect(),
            schema_hash: self.schema_hash,
        };
        let ids = request.streams.clone();
        let loading = tokio::time::timeout(self.settings.call_timeout, self.log.load(request));
        let loaded = match loading.await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => {
                tracing::warn!(error = ?error, "streams could not be loaded");
                return Err(ExecuteError::Unavailable);
            }
            Err(_) => {
                tracing::warn!("the log did not load streams in time");
                return Err(ExecuteError::Unavailable);
            }
        };
        for (stream, id) in streams.into_iter().zip(ids) {
            let empty = event_store::LoadedStream::default();
            let found = loaded.streams.get(&id).unwrap_or(&empty);
            match loading::entry(&*self.log, stream, found).await {
                Ok(entry) => self.cache.insert(stream.clone(), entry),
                Err(LoadError::Unreadable(error)) => {
                    tracing::error!(%error, %stream, "a stream can't be read by this build");
                    unreadable.insert(stream.clone());
                }
                Err(LoadError::Store(error)) => {
                    tracing::warn!(%error, %stream, "a stream could not be loaded");
                    return Err(ExecuteError::Unavailable);
                }
            }
        }
        Ok(loaded)
    }

    /// Sends the batch until the log says what became of it. An append that failed may have been carried out, or may
    /// still be: the same transactions are sent again, and the verdicts are final then.
    async fn append(&mut self, decided: &[(Job, Decision)]) -> Result<Appended, ExecuteError> {
        let begun = Instant::now();
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
                    return Ok(Appended { verdicts, resent });
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
            pause *= 2;
        }
    }

    fn evict_all(&mut self, decided: &[(Job, Decision)]) {
        let streams = decided.iter().flat_map(|(_, decision)| &decision.streams);
        streams.for_each(|stream| self.cache.evict(stream));
    }

    /// Tells everyone what became of their command; returns those that lost to a conflict and go again.
    fn conclude(&mut self, decided: Vec<(Job, Decision)>, appended: Appended) -> Vec<Job> {
        let mut again = Vec::new();
        let mut lengths: HashMap<Stream, u64> = HashMap::new();
        let mut answers = Vec::with_capacity(decided.len());
        for ((mut job, decision), verdict) in decided.into_iter().zip(appended.verdicts) {
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
                    if appended.resent {
                        self.tell_observers(&decision);
                    }
                    let mut outcome = Outcome::replayed(stored);
                    outcome.replayed = !appended.resent;
                    answers.push((job, Ok(outcome)));
                }
                Verdict::KeyReused => {
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

/// A span for each command that is traced, as long as the batch is appended.
fn spans_of_append(decided: &[(Job, Decision)]) -> Vec<Span> {
    let traced = decided.iter().filter(|(job, _)| !job.span.is_disabled());
    let span = |job: &Job| tracing::info_span!(parent: &job.span, "append", batch = decided.len());
    traced.map(|(job, _)| span(job)).collect()
}

fn answer_all(jobs: impl IntoIterator<Item = Job>, error: &ExecuteError) {
    for job in jobs {
        job.answer(Err(error.clone()));
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

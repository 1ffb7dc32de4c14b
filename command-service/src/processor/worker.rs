//! The processor's loop: take what waits, settle, decide; then the batch is committed.

use std::collections::HashSet;
use std::sync::Arc;

use domain::decide::{Context, Decide};
use domain::stream::Stream;
use event_store::{EventLog, LoadRequest, Loaded};
use service_kit::clock::Clock;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::batch::{Job, split_repeats};
use super::cache::StateCache;
use super::decision::{Decision, Undecided, decide};
use super::lanes::Lanes;
use super::loading::{self, LoadError};
use super::observer::Observer;
use super::request::ExecuteError;
use super::settings::ProcessorSettings;
use super::snapshots;

/// Loads that one batch may need, one after another, before its last commands are given up.
const ROUNDS: usize = 64;

/// The one task that owns the cache.
pub(super) struct Worker {
    pub(super) log: Arc<dyn EventLog>,
    clock: Clock,
    pub(super) settings: ProcessorSettings,
    pub(super) observers: Vec<Arc<dyn Observer>>,
    pub(super) cache: StateCache,
    pub(super) schema_hash: u64,
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

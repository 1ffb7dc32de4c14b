//! The processor's loop: take what waits, decide, commit. And what it loads from the log.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::stream::Stream;
use event_store::{EventLog, LoadRequest, Loaded, Position};
use service_kit::clock::Clock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::batch::{Job, split_repeats};
use super::cache::StateCache;
use super::decision::Decision;
use super::lanes::Lanes;
use super::loading::{self, LoadError};
use super::observer::Observer;
use super::request::ExecuteError;
use super::settings::ProcessorSettings;
use super::snapshots;

/// The one task that owns the cache.
pub(super) struct Worker {
    pub(super) log: Arc<dyn EventLog>,
    /// How far the log is known to be; not behind anything that was answered.
    pub(super) head: watch::Receiver<Position>,
    pub(super) clock: Clock,
    pub(super) settings: ProcessorSettings,
    pub(super) observers: Vec<Arc<dyn Observer>>,
    pub(super) cache: StateCache,
    pub(super) schema_hash: u64,
    /// True when the last batch had a command that was answered before.
    pub(super) met_repeats: bool,
    /// True when an append was given up, and may still arrive: nothing is decided before it can't any more.
    in_doubt: bool,
}

impl Worker {
    pub(super) fn new(
        log: Arc<dyn EventLog>,
        clock: Clock,
        settings: ProcessorSettings,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Self {
        let cache = StateCache::new(settings.cached_states);
        let (head, schema_hash) = (log.head(), snapshots::schema_hash());
        let (met_repeats, in_doubt) = (false, false);
        Self { log, head, clock, settings, observers, cache, schema_hash, met_repeats, in_doubt }
    }

    /// Runs until `stop`, and then until nothing waits any more.
    pub(super) async fn run(mut self, mut lanes: Lanes<Job>, stop: CancellationToken) {
        let mut carried = Vec::new();
        let mut expected = 0;
        loop {
            let mut batch = std::mem::take(&mut carried);
            if batch.is_empty() {
                let Some(first) = lanes.next(&stop).await else { return };
                batch.push(first);
                lanes.gather(expected).await;
            }
            lanes.fill(&mut batch, self.settings.batch);
            lanes.show_depth();
            batch.retain(Job::take);
            let taken = batch.len();
            carried = self.process(batch).await;
            expected = lanes.len() + taken - carried.len();
            self.cache.age();
        }
    }

    /// One batch; returns the commands that have to go again. Of one id they stay in the order in which they came: whoever
    /// asks again and hears a refusal must not see the first request be carried out after that.
    async fn process(&mut self, batch: Vec<Job>) -> Vec<Job> {
        if let Err(error) = self.shut_out().await {
            answer_all(batch, &error);
            return Vec::new();
        }
        let (distinct, repeats) = split_repeats(batch);
        let decided = self.settle_and_decide(distinct).await;
        if decided.is_empty() {
            return repeats;
        }
        let mut carried = Vec::new();
        #[expect(clippy::cast_precision_loss, reason = "a histogram; batches are small")]
        metrics::histogram!("docket_command_batch_size").record(decided.len() as f64);
        let _appends = spans_of_append(&decided);
        match self.append(&decided).await {
            Ok(appended) => carried.extend(self.conclude(decided, appended)),
            Err(error) => {
                self.in_doubt |= matches!(error, ExecuteError::OutcomeUnknown);
                answer_all(decided.into_iter().map(|(job, _)| job), &error);
            }
        }
        carried.extend(repeats);
        carried
    }

    /// Makes sure that what was given up has been carried out or never will be. Else a command whose outcome was unknown might be
    /// refused when it is asked again, and carried out after that.
    async fn shut_out(&mut self) -> Result<(), ExecuteError> {
        if !self.in_doubt {
            return Ok(());
        }
        match tokio::time::timeout(self.settings.call_timeout, self.log.shut_out()).await {
            Ok(Ok(())) => {
                self.in_doubt = false;
                Ok(())
            }
            Ok(Err(error)) => {
                tracing::warn!(error = ?error, "what was given up can't be shut out now");
                Err(ExecuteError::Unavailable)
            }
            Err(_) => {
                tracing::warn!("what was given up was not shut out in time");
                Err(ExecuteError::Unavailable)
            }
        }
    }

    /// Asks the log for the commands' ids and for the streams that the cache lacks, in one go.
    pub(super) async fn load(
        &mut self,
        jobs: &[Job],
        wanted: &HashSet<Stream>,
        unreadable: &mut HashMap<Stream, Position>,
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
                    unreadable.insert(stream.clone(), error.position);
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

pub(super) fn answer_all(jobs: impl IntoIterator<Item = Job>, error: &ExecuteError) {
    for job in jobs {
        job.answer(Err(error.clone()));
    }
}

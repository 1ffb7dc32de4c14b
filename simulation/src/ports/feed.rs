//! The feed as one process reaches it: the real one, over its own way to the log or over the broker of events, with pages
//! that fail and silences. Whatever it gives is compared with the log.

use std::sync::Arc;

use event_store::memory::MemoryLog;
use event_store::{EventLog as _, LogIdentity, Position, RecordedEvent, StreamId, Version};
use futures::future::BoxFuture;
use messaging::embedded::EmbeddedFeed;
use messaging::feed::{Feed, FeedError, Freshness, Place, Subscription};
use messaging::jetstream::JetStreamFeed;
use tokio::sync::watch;

use super::build::Build;
use super::carrier::CarrierAccess;
use super::log::FaultyLog;
use crate::process::Process;
use crate::trace::Trace;
use crate::violation::Violations;
use crate::weather::{Mishap, Weather};

/// A feed that fails.
pub(crate) struct FaultyFeed {
    feed: Arc<dyn Feed>,
    around: Around,
    /// Which log it was when it was opened.
    opened: LogIdentity,
    /// Told here where nobody announces anything.
    freshness: Option<watch::Sender<Freshness>>,
}

/// What a feed and its subscriptions have around them.
#[derive(Clone)]
struct Around {
    process: Arc<Process>,
    weather: Arc<Weather>,
    trace: Arc<Trace>,
    truth: Arc<MemoryLog>,
    violations: Arc<Violations>,
    /// What the build of the process can't read; `None` where it reads everything.
    build: Option<Arc<Build>>,
}

impl FaultyFeed {
    /// Reads the log itself.
    pub(crate) fn embedded(log: &FaultyLog, violations: Arc<Violations>) -> Self {
        let feed: Arc<dyn Feed> = Arc::new(EmbeddedFeed::new(Arc::new(log.clone())));
        let freshness = Some(watch::Sender::new(Freshness::Known));
        Self { opened: feed.identity(), feed, around: Around::of(log, violations), freshness }
    }

    /// Reads what the broker of events has, once the log's owner is heard.
    pub(crate) async fn distributed(
        carrier: CarrierAccess,
        log: &FaultyLog,
        violations: Arc<Violations>,
    ) -> Self {
        let feed: Arc<dyn Feed> = Arc::new(JetStreamFeed::open(Arc::new(carrier)).await);
        let (opened, around) = (feed.identity(), Around::of(log, violations));
        Self { feed, around, opened, freshness: None }
    }

    /// As a process of this build reads it.
    pub(crate) fn read_by(mut self, build: &Arc<Build>) -> Self {
        self.around.build = Some(Arc::clone(build));
        self
    }

    /// Whether the log has begun another epoch: whoever reads it ends then, and looks anew where it stands.
    pub(crate) fn is_of_another_epoch(&self) -> bool {
        self.feed.identity() != self.opened
    }

    /// Whether it is known how far the log is; the broker of events has silences of its own.
    pub(crate) fn hears(&self, now: Freshness) {
        if let Some(freshness) = &self.freshness {
            freshness.send_replace(now);
        }
    }

    fn watched(
        &self,
        subscription: Box<dyn Subscription>,
        last: Position,
    ) -> Box<dyn Subscription> {
        Box::new(FaultySubscription { subscription, around: self.around.clone(), last })
    }
}

impl Around {
    fn of(log: &FaultyLog, violations: Arc<Violations>) -> Self {
        let (process, weather) = (Arc::clone(&log.process), Arc::clone(&log.weather));
        let (trace, truth) = (Arc::clone(&log.trace), Arc::clone(&log.log));
        Self { process, weather, trace, truth, violations, build: None }
    }

    /// What came, as the process reads it.
    fn as_read(&self, events: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
        match &self.build {
            Some(build) => build.reads(events),
            None => events,
        }
    }
}

impl Feed for FaultyFeed {
    fn identity(&self) -> LogIdentity {
        self.feed.identity()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.feed.head()
    }

    fn freshness(&self) -> watch::Receiver<Freshness> {
        self.freshness.as_ref().map_or_else(|| self.feed.freshness(), watch::Sender::subscribe)
    }

    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(async move { Ok(self.watched(self.feed.subscribe(after).await?, after)) })
    }

    fn subscribe_from(
        &self,
        place: Place,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(
            async move { Ok(self.watched(self.feed.subscribe_from(place).await?, place.position)) },
        )
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, FeedError>> {
        Box::pin(async move { Ok(self.around.as_read(self.feed.read_all(after, limit).await?)) })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, FeedError>> {
        Box::pin(async move {
            Ok(self.around.as_read(self.feed.read_stream(stream, after, limit).await?))
        })
    }
}

struct FaultySubscription {
    subscription: Box<dyn Subscription>,
    around: Around,
    last: Position,
}

impl FaultySubscription {
    /// I13: what comes is what follows in the log.
    async fn compare(&mut self, events: &[RecordedEvent]) {
        let there = self.around.truth.read_all(self.last, events.len()).await;
        let name = &self.around.process.name;
        if there.is_ok_and(|there| there == events) {
            self.last += events.len() as Position;
            self.around.trace.tell(format_args!("{name} is given up to {}", self.last));
            return;
        }
        let positions: Vec<_> = events.iter().map(|event| event.position).collect();
        let last = self.last;
        let statement =
            format!("{name} was given {positions:?}, not what follows {last} in the log.");
        self.around.violations.found("I13", statement);
    }
}

impl Subscription for FaultySubscription {
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Arc<[RecordedEvent]>, FeedError>> {
        Box::pin(async move {
            self.around.process.pass().await;
            if self.around.weather.strikes(Mishap::FeedFails) {
                return Err(FeedError::Unavailable("the page is lost".into()));
            }
            // Small pages now and then: what belongs together comes apart.
            let limit = if self.around.weather.draw(|rng| rng.chance(300)) { 1 } else { limit };
            let events = self.subscription.next(limit).await?;
            self.compare(&events).await;
            let Some(build) = &self.around.build else { return Ok(events) };
            build.meets(&events, &self.around.weather);
            Ok(build.reads(events.to_vec()).into())
        })
    }
}

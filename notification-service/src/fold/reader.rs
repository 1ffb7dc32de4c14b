//! The loop that follows the feed.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::event::Event;
use event_store::{LogIdentity, Position, RecordedEvent};
use messaging::feed::{Feed, FeedError};
use service_kit::clock::Clock;
use storage::{Fence, Passed, Store};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::facts::Facts;
use super::notices::notices;
use crate::book::Book;
use crate::hub::Hub;
use crate::mail::Mailer;
use crate::public::{CloudEvent, is_noticed, is_published};
use crate::run_error::RunError;
use crate::status::{Phase, Status};
use crate::storage::{self as tables, Checkpoint, MAIL, NewDelivery, NewNotices};
use crate::webhooks::Endpoint;

/// Events of a page, at most.
const BATCH: usize = 1_000;
/// Where nobody waits to be told, it is noted this often how far the log was read, and what customers find.
const NOTE_EVERY: Duration = Duration::from_millis(250);
/// It looks this often whether the database still has what it committed: one that crashed may have lost it, and no event may come that would
/// tell.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// So much that customers find waits to be noted, at most.
const MOST_NOTICES: usize = 1_000;
/// The public event after which nobody reads a customer's notices.
const ERASED: &str = "customer.erased";
/// How long it waits before it tries again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What a reader is made of.
pub(crate) struct ReaderParts {
    pub(crate) store: Store,
    pub(crate) fence: Fence,
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) book: Arc<Book>,
    pub(crate) clock: Clock,
    /// Tells that something may be due.
    pub(crate) told: Arc<Notify>,
    pub(crate) status: watch::Sender<Status>,
    /// Who listens as it happens.
    pub(crate) hub: Hub,
    /// How customers get mail, where they do.
    pub(crate) mailing: Option<Mailing>,
    /// How long it is known what was told.
    pub(crate) retention: Duration,
}

/// How customers get mail.
pub(crate) struct Mailing {
    pub(crate) mailer: Mailer,
    /// They hear of nothing that was before.
    pub(crate) since: DateTime<Utc>,
}

/// The one who reads the feed.
pub(crate) struct Reader {
    pub(super) parts: ReaderParts,
    facts: Facts,
    /// As committed.
    pub(super) checkpoint: Checkpoint,
    /// As read.
    place: (Position, Option<Uuid>),
    /// What customers find of what was read and not committed.
    notices: NewNotices,
    noted_at: Instant,
}

impl Reader {
    pub(crate) fn new(parts: ReaderParts) -> Self {
        let log = LogIdentity { log: "".into(), epoch: 0 };
        let checkpoint = Checkpoint { position: 0, event_id: None, log };
        let facts = Facts::new(Arc::clone(&parts.feed));
        let (place, notices) = ((0, None), NewNotices::default());
        Self { parts, facts, checkpoint, place, notices, noted_at: Instant::now() }
    }

    /// Reads until it is stopped, the lease is lost, or an event can't be read. What fails for now is begun anew from what the
    /// database says.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> RunError {
        loop {
            let error = match self.session(&stop).await {
                Ok(()) => RunError::Stopped,
                Err(error) => error,
            };
            match &error {
                RunError::Stopped | RunError::LeaseLost => {
                    self.tell(Phase::Stopped);
                    return error;
                }
                RunError::Fault { position, cause } => {
                    return self.stand_still(*position, cause, stop).await;
                }
                RunError::Feed(FeedError::AnotherHistory { position, .. }) => {
                    let (position, cause) = (*position, error.to_string());
                    return self.stand_still(position, &cause, stop).await;
                }
                RunError::TakenBack | RunError::Feed(_) | RunError::Database(_) => {
                    tracing::warn!(%error, "the feed can't be read for public events now");
                    self.tell(Phase::Retrying { cause: error.to_string() });
                }
            }
            let pause = tokio::time::sleep(RETRY_AFTER);
            if stop.run_until_cancelled(pause).await.is_none() {
                return RunError::Stopped;
            }
        }
    }

    /// Waits for a person: passing an event over could keep somebody from hearing of it. What was read before is still told.
    async fn stand_still(
        &self,
        position: Position,
        cause: &str,
        stop: CancellationToken,
    ) -> RunError {
        tracing::error!(position, cause, "public events stand still");
        self.tell(Phase::Faulted { position, cause: cause.to_owned() });
        stop.cancelled().await;
        RunError::Stopped
    }

    async fn session(&mut self, stop: &CancellationToken) -> Result<(), RunError> {
        self.open().await?;
        let mut subscription = self.parts.feed.subscribe(self.place.0).await?;
        self.tell(Phase::Live);
        // What was due when the last session ended.
        self.parts.told.notify_one();
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.note().await,
                page = subscription.next(BATCH) => self.read(&page?).await?,
                () = tokio::time::sleep_until(self.noted_at + NOTE_EVERY), if self.is_ahead() => {
                    self.note().await?;
                }
                _ = looks.tick() => self.look().await?,
            }
            self.tell(Phase::Live);
        }
    }

    fn is_ahead(&self) -> bool {
        self.place.0 > self.checkpoint.position
    }

    /// Reads a page; what is to be told of it is committed with where it ends.
    async fn read(&mut self, page: &[RecordedEvent]) -> Result<(), RunError> {
        let Some(last) = page.last() else { return Ok(()) };
        let place = (last.position, Some(last.id));
        let endpoints = self.parts.book.endpoints();
        let is_told = !endpoints.is_empty()
            || self.parts.mailing.is_some()
            || self.parts.hub.is_listened_to();
        let events = self.public(page, is_told).await?;
        let events: Vec<Arc<CloudEvent>> = events.into_iter().map(Arc::new).collect();
        // It is in the log: who only looks need not wait for what is kept here.
        for event in &events {
            self.parts.hub.tell(Arc::clone(event));
        }
        let mut new = self.for_webhooks(&endpoints, &events);
        new.extend(self.for_customers(&events));
        self.collect(&events);
        self.place = place;
        if new.is_empty() && self.notices.len() < MOST_NOTICES {
            return Ok(());
        }
        self.commit(&new).await?;
        self.parts.told.notify_one();
        Ok(())
    }

    /// Collects what customers find.
    fn collect(&mut self, events: &[Arc<CloudEvent>]) {
        let known_since = self.known_since();
        let told = notices(events).filter(|(_, _, event)| event.recorded_at >= known_since);
        self.notices
            .told
            .extend(told.map(|(_, whose, event)| (whose.to_owned(), Arc::clone(event))));
        let erased = events.iter().filter(|event| event.name == ERASED);
        self.notices.erased.extend(erased.filter_map(|event| event.customer_id.clone()));
    }

    /// Before this, nobody knows what was told. Read again after a restore, what is older was told, or is too old to be.
    fn known_since(&self) -> DateTime<Utc> {
        (self.parts.clock)() - self.parts.retention
    }

    fn for_webhooks<'e>(
        &self,
        endpoints: &'e [Endpoint],
        events: &'e [Arc<CloudEvent>],
    ) -> Vec<NewDelivery<'e>> {
        let known_since = self.known_since();
        let mut new = Vec::new();
        for event in events {
            let wanting = endpoints.iter().filter(|endpoint| {
                (endpoint.since.is_some() || event.recorded_at >= known_since)
                    && endpoint.wants(event.name, event.position, event.recorded_at)
            });
            new.extend(wanting.map(|endpoint| NewDelivery { endpoint_id: &endpoint.id, event }));
        }
        new
    }

    fn for_customers<'e>(&self, events: &'e [Arc<CloudEvent>]) -> Vec<NewDelivery<'e>> {
        let Some(Mailing { mailer, since }) = &self.parts.mailing else { return Vec::new() };
        let since = self.known_since().max(*since);
        notices(events)
            .filter(|(kind, _, event)| mailer.tells(*kind) && event.recorded_at >= since)
            .map(|(_, _, event)| NewDelivery { endpoint_id: MAIL, event })
            .collect()
    }

    /// The public events of a page; where nobody else is told, those that customers find.
    async fn public(
        &mut self,
        page: &[RecordedEvent],
        is_told: bool,
    ) -> Result<Vec<CloudEvent>, RunError> {
        let log = Arc::clone(&self.checkpoint.log.log);
        let mut events = Vec::new();
        let is_read = if is_told { is_published } else { is_noticed };
        for recorded in page.iter().filter(|recorded| is_read(&recorded.event_type)) {
            let fault = |cause: String| RunError::Fault { position: recorded.position, cause };
            let (version, payload) = (recorded.schema_version, &recorded.payload);
            let event = Event::from_json(&recorded.event_type, version, payload);
            let event = event.map_err(|error| fault(error.to_string()))?;
            let order = self.facts.of(&event).await?;
            let public = CloudEvent::of(&log, recorded, &event, order.as_deref());
            events.extend(public.map_err(|error| fault(error.to_string()))?);
        }
        metrics::counter!("docket_public_events_total").increment(events.len() as u64);
        Ok(events)
    }

    /// Looks whether it stands where it believes to.
    async fn look(&self) -> Result<(), RunError> {
        let mut reader = self.parts.store.reader().await?;
        let found = tables::read_checkpoint(&mut reader).await?;
        if found == self.checkpoint { Ok(()) } else { Err(RunError::TakenBack) }
    }

    /// Notes how far it has read.
    async fn note(&mut self) -> Result<(), RunError> {
        if self.is_ahead() { self.commit(&[]).await } else { Ok(()) }
    }

    async fn commit(&mut self, new: &[NewDelivery<'_>]) -> Result<(), RunError> {
        let (position, event_id) = self.place;
        let mut transaction = self.parts.store.begin().await?;
        let fence = &self.parts.fence;
        let passed =
            tables::advance(&mut transaction, fence, &self.checkpoint, position, event_id).await?;
        match passed {
            Passed::Through => {}
            Passed::LeaseLost => return Err(RunError::LeaseLost),
            Passed::Moved => return Err(RunError::TakenBack),
        }
        tables::insert_deliveries(&mut transaction, new, (self.parts.clock)()).await?;
        tables::keep_notices(&mut transaction, &self.notices).await?;
        transaction.commit().await?;
        self.notices.clear();
        self.checkpoint = Checkpoint { position, event_id, log: self.checkpoint.log.clone() };
        self.noted_at = Instant::now();
        Ok(())
    }

    /// Stands here from now on.
    pub(super) fn stand_at(&mut self, checkpoint: Checkpoint) {
        self.place = (checkpoint.position, checkpoint.event_id);
        self.checkpoint = checkpoint;
        self.notices.clear();
        self.noted_at = Instant::now();
    }

    fn tell(&self, phase: Phase) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float; 2^53 events are far away"
        )]
        metrics::gauge!("docket_notifications_position").set(self.place.0 as f64);
        self.parts.status.send_modify(|status| {
            // That something broke off is told until the end.
            if status.phase != Phase::Broken {
                *status = Status { phase, position: self.place.0 };
            }
        });
    }
}

//! The feed of a process that has no log of its own.

use std::sync::Arc;
use std::time::Duration;

use event_store::{LogIdentity, Position, RecordedEvent, StreamId, Version};
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::follow::Follower;
use super::heard::Heard;
use super::subscription::JetStreamSubscription;
use crate::feed::{Feed, FeedError, Freshness, Place, Subscription};
use crate::jetstream::announcements::Announcement;
use crate::jetstream::backoff::Backoff;
use crate::jetstream::carrier::Carrier;
use crate::jetstream::history::{HistoryClient, HistoryError};
use crate::jetstream::trouble::chain;

/// Reads events from JetStream and, where it lacks some, from the log's owner.
pub struct JetStreamFeed {
    carrier: Arc<dyn Carrier>,
    history: HistoryClient,
    heard: Arc<Heard>,
    listening: Arc<DropGuard>,
}

impl JetStreamFeed {
    /// Waits until the log's owner has told which log it is, however long that takes.
    pub async fn open(carrier: Arc<dyn Carrier>) -> Self {
        let history = HistoryClient::new(Arc::clone(&carrier));
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
        let first = loop {
            match history.head().await {
                Ok(announcement) => break announcement,
                Err(error) => {
                    tracing::info!(
                        cause = chain(&error),
                        "waiting for the log's owner to tell which log it is"
                    );
                    tokio::time::sleep(backoff.next()).await;
                }
            }
        };
        Self::start(carrier, Heard::new(first, Freshness::Known))
    }

    /// Starts at once with the identity that a checkpoint remembers, for a process that serves what it has while the
    /// log's owner is away. Until the owner is heard, subscribing fails as unavailable.
    pub fn resume(carrier: Arc<dyn Carrier>, log: LogIdentity) -> Self {
        let remembered = Announcement { log, head: 0, event_id: None };
        Self::start(carrier, Heard::new(remembered, Freshness::Unknown))
    }

    fn start(carrier: Arc<dyn Carrier>, heard: Arc<Heard>) -> Self {
        let history = HistoryClient::new(Arc::clone(&carrier));
        let stop = CancellationToken::new();
        let listening = Arc::clone(&heard).listen(Arc::clone(&carrier), history.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(listening));
        Self { carrier, history, heard, listening: Arc::new(stop.drop_guard()) }
    }

    async fn follow(&self, place: Place) -> Result<Box<dyn Subscription>, FeedError> {
        let Place { position, event_id } = place;
        let unknown = *self.heard.freshness().borrow() == Freshness::Unknown;
        if position > self.heard.head() || event_id.is_some() || unknown {
            // What was heard may be a second old, or nothing was heard yet.
            self.heard.ask(&self.history).await.map_err(unavailable)?;
        }
        let head = self.heard.head();
        if position > head {
            return Err(FeedError::AnotherHistory { position, head });
        }
        let log = self.heard.identity();
        if let (Some(id), Some(before)) = (event_id, position.checked_sub(1)) {
            let page = self.history.read_all(before, 1).await.map_err(unavailable)?;
            if page.events.first().is_none_or(|event| event.id != id) {
                return Err(FeedError::AnotherHistory { position, head });
            }
        }
        let carrier = Arc::clone(&self.carrier);
        let (history, announced) = (self.history.clone(), Arc::clone(&self.heard));
        let follower = Follower::new(carrier, history, announced, place, log);
        Ok(Box::new(JetStreamSubscription::start(follower, Arc::clone(&self.listening))))
    }
}

impl Feed for JetStreamFeed {
    fn identity(&self) -> LogIdentity {
        self.heard.identity()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.heard.heads()
    }

    fn freshness(&self) -> watch::Receiver<Freshness> {
        self.heard.freshness()
    }

    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(self.follow(Place { position: after, event_id: None }))
    }

    fn subscribe_from(
        &self,
        place: Place,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(self.follow(place))
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, FeedError>> {
        Box::pin(async move {
            let page = self.history.read_all(after, limit).await.map_err(unavailable)?;
            Ok(page.events)
        })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, FeedError>> {
        Box::pin(async move {
            // An answer is bounded in bytes: fewer events than asked for are not the end.
            let mut events: Vec<RecordedEvent> = Vec::new();
            while events.len() < limit {
                let at = events.last().map_or(after, |event| event.version);
                let left = limit - events.len();
                let page = self.history.read_stream(stream, at, left).await.map_err(unavailable)?;
                if page.events.is_empty() {
                    break;
                }
                events.extend(page.events);
            }
            Ok(events)
        })
    }
}

fn unavailable(error: HistoryError) -> FeedError {
    FeedError::Unavailable(Box::new(error))
}

//! Follows the log for one subscription: from the stream while it is whole, from the log wherever it is not.
//!
//! **Invariant:** `last` moves only over the event that follows it, and only when that event was handed over.

use std::sync::Arc;
use std::time::Duration;

use event_store::{LogIdentity, Position, RecordedEvent};
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use super::heard::Heard;
use super::messages::{self, Read};
use super::subscription::{Departed, Found};
use crate::feed::Place;
use crate::jetstream::backoff::Backoff;
use crate::jetstream::carrier::{Carrier, CarrierError, Incoming, Lost};
use crate::jetstream::connection;
use crate::jetstream::history::{HistoryClient, Page};
use crate::jetstream::trouble::{Trouble, chain};

/// Events and bytes that are handed over at once.
const PART_EVENTS: usize = 500;
const PART_BYTES: usize = 1024 * 1024;
/// Events that are asked of the log at once.
const PAGE: usize = 2_000;
/// Behind what was announced for this long, without a message: the end of the stream has a hole.
const BEHIND: Duration = Duration::from_secs(1);
/// How often is looked whether it is behind.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Why following ends.
enum End {
    /// Nobody reads any more.
    Unread,
    /// The log is not the one that was followed.
    Departed(Departed),
    /// For a moment only.
    Trouble(Trouble),
}

impl<T: Into<Trouble>> From<T> for End {
    fn from(trouble: T) -> Self {
        Self::Trouble(trouble.into())
    }
}

pub(super) struct Follower {
    carrier: Arc<dyn Carrier>,
    history: HistoryClient,
    heard: Arc<Heard>,
    last: Position,
    /// The event there, when it is known.
    last_id: Option<Uuid>,
    /// The history that `last` is of.
    log: LogIdentity,
    /// What follows `last` and is not handed over yet.
    part: Vec<RecordedEvent>,
    /// The bytes of its payloads.
    part_bytes: usize,
    /// Since when more is announced than was found.
    behind: Option<Instant>,
    backoff: Backoff,
}

impl Follower {
    pub(super) fn new(
        carrier: Arc<dyn Carrier>,
        history: HistoryClient,
        heard: Arc<Heard>,
        place: Place,
        log: LogIdentity,
    ) -> Self {
        let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
        let (last, last_id) = (place.position, place.event_id);
        let (part, part_bytes, behind) = (Vec::new(), 0, None);
        Self { carrier, history, heard, last, last_id, log, part, part_bytes, behind, backoff }
    }

    /// Follows until nobody reads any more, or the log departs from what was read.
    pub(super) async fn run(mut self, out: mpsc::Sender<Found>) {
        loop {
            let lost = tokio::select! {
                biased;
                () = out.closed() => return,
                lost = self.carrier.reach() => lost,
            };
            let mut ended = self.session_until_lost(lost, &out).await;
            // What was not handed over is read again.
            self.part.clear();
            self.part_bytes = 0;
            if let Err(End::Trouble(trouble)) = &ended {
                let (after, cause) = (self.last, chain(trouble));
                tracing::info!(
                    after,
                    cause,
                    "the stream of events is left, and taken up again soon"
                );
                // Without a stream, history alone still leads to the head.
                ended = self.fill_if_behind(&out).await;
            }
            match ended {
                Err(End::Unread) => return,
                Err(End::Departed(departed)) => {
                    let (position, head) = (departed.position, departed.head);
                    tracing::error!(
                        position,
                        head,
                        "what was read is not the log's history any more"
                    );
                    let _ = out.send(Err(departed)).await;
                    return;
                }
                Ok(()) | Err(End::Trouble(_)) => {}
            }
            tokio::select! {
                biased;
                () = out.closed() => return,
                () = tokio::time::sleep(self.backoff.next()) => {}
            }
        }
    }

    async fn session_until_lost(
        &mut self,
        lost: Lost,
        out: &mpsc::Sender<Found>,
    ) -> Result<(), End> {
        // A session that ends for another reason than trouble is an outcome here.
        let session = async {
            match self.session(out).await {
                Err(End::Trouble(trouble)) => Err(trouble),
                other => Ok(other),
            }
        };
        connection::until_lost(lost, Box::pin(session)).await?
    }

    /// Reads the stream until it or its log is another one.
    async fn session(&mut self, out: &mpsc::Sender<Found>) -> Result<(), End> {
        self.check_history().await?;
        let mut messages = self.carrier.messages_from(self.last + 1).await?;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = out.closed() => return Err(End::Unread),
                _ = looks.tick() => {
                    if self.heard.identity() != self.log {
                        return Ok(());
                    }
                    self.fill_if_behind(out).await?;
                }
                message = messages.next() => {
                    let mut ready = Some(message);
                    while let Some(message) = ready {
                        self.take(out, message).await?;
                        // One message more only if it is here already: nobody waits for a fuller part.
                        ready = if self.part_is_full() { None } else { messages.next().now_or_never() };
                    }
                    self.hand_over(out).await?;
                }
            }
        }
    }

    async fn take(
        &mut self,
        out: &mpsc::Sender<Found>,
        message: Option<Result<Incoming, CarrierError>>,
    ) -> Result<(), End> {
        let ended = || Trouble::Odd("the stream's messages ended".to_owned());
        let message = message.ok_or_else(ended)??;
        match messages::read(&message, &self.log) {
            Read::Event(event) => self.take_event(out, event).await,
            Read::Hole(sequence, why) => {
                self.hand_over(out).await?;
                if sequence > self.last {
                    tracing::warn!(
                        sequence,
                        why,
                        "a message is not the log's event of that position"
                    );
                    self.heard.ask(&self.history).await?;
                    let known = sequence.min(self.heard.head());
                    self.fill(out, known, "a stray message stands in its place").await?;
                }
                Ok(())
            }
            Read::Later(epoch) => {
                self.heard.ask(&self.history).await?;
                Err(Trouble::Odd(format!("the log is in epoch {epoch} now")).into())
            }
        }
    }

    async fn take_event(
        &mut self,
        out: &mpsc::Sender<Found>,
        event: RecordedEvent,
    ) -> Result<(), End> {
        let expected = self.last + 1 + self.part.len() as Position;
        if event.position > expected {
            self.hand_over(out).await?;
            self.fill(out, event.position - 1, "the stream lacks it").await?;
            if event.position > self.last + 1 {
                let position = event.position;
                return Err(Trouble::Odd(format!("the log has nothing before {position}")).into());
            }
        }
        // What comes a second time is passed over.
        if event.position == self.last + 1 + self.part.len() as Position {
            self.part_bytes += event.payload.len();
            self.part.push(event);
        }
        Ok(())
    }

    fn part_is_full(&self) -> bool {
        self.part.len() >= PART_EVENTS || self.part_bytes >= PART_BYTES
    }

    async fn hand_over(&mut self, out: &mpsc::Sender<Found>) -> Result<(), End> {
        let part = std::mem::take(&mut self.part);
        self.part_bytes = 0;
        let Some((position, id)) = part.last().map(|last| (last.position, last.id)) else {
            return Ok(());
        };
        out.send(Ok(part)).await.map_err(|_| End::Unread)?;
        (self.last, self.last_id) = (position, Some(id));
        self.heard.seen(position);
        self.behind = None;
        self.backoff.reset();
        Ok(())
    }

    /// Reads from the log what the stream has not.
    async fn fill(
        &mut self,
        out: &mpsc::Sender<Found>,
        to: Position,
        why: &str,
    ) -> Result<(), End> {
        if to <= self.last {
            return Ok(());
        }
        tracing::info!(after = self.last, to, why, "a part of the stream is read from the log");
        metrics::counter!("docket_feed_hole_fills_total").increment(1);
        while self.last < to {
            let limit = usize::try_from(to - self.last).unwrap_or(PAGE).min(PAGE);
            let page = self.continuation(limit).await?;
            if page.log != self.log {
                self.heard.ask(&self.history).await?;
                return Err(Trouble::Odd("the log is in another epoch now".to_owned()).into());
            }
            if page.events.is_empty() {
                break;
            }
            metrics::counter!("docket_feed_filled_events_total")
                .increment(page.events.len() as u64);
            self.part = page.events;
            self.hand_over(out).await?;
        }
        Ok(())
    }

    /// What follows in the log, provided that it still has the event that was read last.
    async fn continuation(&self, limit: usize) -> Result<Page, End> {
        let (Some(before), Some(id)) = (self.last.checked_sub(1), self.last_id) else {
            return Ok(self.history.read_all(self.last, limit).await?);
        };
        let mut page = self.history.read_all(before, limit + 1).await?;
        if page.events.first().is_none_or(|event| event.id != id) {
            return Err(End::Departed(Departed { position: self.last, head: page.head }));
        }
        page.events.remove(0);
        Ok(page)
    }

    /// A hole at the stream's end shows only by what is announced.
    async fn fill_if_behind(&mut self, out: &mpsc::Sender<Found>) -> Result<(), End> {
        let head = self.heard.head();
        if head <= self.last {
            self.behind = None;
            return Ok(());
        }
        let since = *self.behind.get_or_insert_with(Instant::now);
        if since.elapsed() < BEHIND {
            return Ok(());
        }
        self.fill(out, head, "more is announced than came").await
    }

    /// Whether the log still has the event that was read last; asked at every start and reconnect.
    async fn check_history(&mut self) -> Result<(), End> {
        let now = self.heard.identity();
        let same = now == self.log;
        if self.last > 0 && self.last_id.is_none() && !same {
            // Whoever does not say which event it saw stands on nothing when the epoch changes.
            let (position, head) = (self.last, self.heard.head());
            return Err(End::Departed(Departed { position, head }));
        }
        if self.last > 0 && self.last_id.is_some() {
            match self.continuation(0).await {
                Ok(page) => self.log = page.log,
                // The messages say themselves of which log and epoch they are.
                Err(End::Trouble(_)) if same => {}
                Err(other) => return Err(other),
            }
        } else {
            self.log = now;
        }
        Ok(())
    }
}

//! The relay's loop.

use std::sync::Arc;
use std::time::Duration;

use event_store::{Position, RecordedEvent};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;

use super::publish::{self, ContextOf};
use super::window::Window;
use crate::jetstream::backoff::Backoff;
use crate::jetstream::carrier::{Carrier, Publisher};
use crate::jetstream::connection;
use crate::jetstream::owner::OwnedLog;
use crate::jetstream::streams::EventsSettings;
use crate::jetstream::trouble::{Trouble, chain};

/// How the relay works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelaySettings {
    /// The stream of events.
    pub events: EventsSettings,
    /// Publishes on their way at once, at most.
    pub window_events: usize,
    /// Their bytes, about.
    pub window_bytes: usize,
    /// How often it looks at a stream that it has nothing to publish to.
    pub look_every: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            events: EventsSettings::default(),
            window_events: 4_096,
            window_bytes: 8 * 1024 * 1024,
            look_every: Duration::from_secs(2),
        }
    }
}

/// Events that are read from the log at once.
const PAGE: usize = 1_000;

/// The last event that was published or is on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) position: Position,
    /// None when the stream does not tell: at its beginning, or where a message was deleted.
    pub(super) id: Option<Uuid>,
}

/// Publishes a log. One a log is enough; a second one does no harm.
pub struct Relay {
    pub(super) carrier: Arc<dyn Carrier>,
    pub(super) owned: Arc<OwnedLog>,
    pub(super) settings: RelaySettings,
    /// The epoch was raised for a stream that is not built anew yet.
    pub(super) raised: bool,
    /// The last position that the stream is known to have.
    acknowledged: Position,
    /// A publish of this session asked for an answer.
    is_heard: bool,
    context_of: ContextOf,
}

impl Relay {
    /// Publishes this log. The context in a subject is what the stream's name begins with, up to the first `-`.
    pub fn new(carrier: Arc<dyn Carrier>, owned: Arc<OwnedLog>, settings: RelaySettings) -> Self {
        let context_of: ContextOf = Arc::new(publish::beginning_of_stream);
        let (raised, acknowledged, is_heard) = (false, 0, false);
        Self { carrier, owned, settings, raised, acknowledged, is_heard, context_of }
    }

    /// Takes the context in a subject from here: from stream and type.
    #[must_use]
    pub fn with_context_of(mut self, context_of: ContextOf) -> Self {
        self.context_of = context_of;
        self
    }

    /// Publishes until it is stopped, whatever becomes of NATS meanwhile.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(4));
        loop {
            let session = async {
                let lost = self.carrier.reach().await;
                connection::until_lost(lost, Box::pin(self.session(&mut backoff))).await
            };
            let Some(ended) = stop.run_until_cancelled(session).await else { return };
            self.measure();
            match ended {
                Ok(()) => return,
                Err(Trouble::Fenced) => {
                    metrics::counter!("docket_relay_fenced_total").increment(1);
                    tracing::info!(
                        "the stream does not end where it should: the relay looks at it again"
                    );
                }
                Err(trouble) => {
                    tracing::warn!(
                        cause = chain(&trouble),
                        "events can't be published now; the log has them"
                    );
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                return;
            }
        }
    }

    /// Publishes until something goes wrong, or the log is closed.
    async fn session(&mut self, backoff: &mut Backoff) -> Result<(), Trouble> {
        let mut sent = self.inspect().await?;
        self.owned.was_inspected();
        let mut publisher = self.carrier.publisher(self.settings.window_events);
        let mut identity = self.owned.identity();
        identity.mark_unchanged();
        let mut head = self.owned.log.head();
        let mut window = Window::new(self.settings.window_events, self.settings.window_bytes);
        let mut looks = tokio::time::interval(self.settings.look_every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks.reset();
        self.acknowledged = sent.position;
        self.is_heard = false;
        self.measure();
        loop {
            if *head.borrow_and_update() > sent.position {
                self.publish_page(&mut *publisher, &mut sent, &mut window, backoff).await?;
                continue;
            }
            tokio::select! {
                biased;
                _ = identity.changed() => {
                    return Err(Trouble::Odd("the log has another epoch now".to_owned()));
                }
                oldest = window.oldest(), if !window.is_empty() => {
                    if let Some(position) = oldest? {
                        backoff.reset();
                        self.published(position);
                    }
                    if window.is_empty() {
                        self.measure();
                    }
                }
                changed = head.changed() => if changed.is_err() { return Ok(()) },
                _ = looks.tick(), if window.is_empty() => sent = self.inspect().await?,
            }
        }
    }

    /// Publishes what follows, as much as one page has.
    async fn publish_page(
        &mut self,
        publisher: &mut dyn Publisher,
        sent: &mut Sent,
        window: &mut Window,
        backoff: &mut Backoff,
    ) -> Result<(), Trouble> {
        let page = self.continuation(sent).await?;
        let log = self.owned.known_identity();
        // What is published anew, or long after it happened, is no part of anything that anybody follows.
        let is_behind = page.len() >= PAGE;
        for (place, event) in page.iter().enumerate() {
            while !window.has_room() {
                if let Some(position) = window.oldest().await? {
                    backoff.reset();
                    self.published(position);
                }
            }
            let (outgoing, bytes) = publish::outgoing(&log, event, &self.context_of)?;
            let span = if is_behind { Span::none() } else { publish::span(event) };
            // The first answer tells why the stream takes nothing; those after it only that something before them is not there.
            let is_answered =
                !self.is_heard || place + 1 == page.len() || window.asks_for_answer(bytes);
            if is_answered {
                let acknowledged = publisher.send(outgoing).await?;
                window.sent_and_answered(event.position, bytes, acknowledged, span);
                self.is_heard = true;
            } else {
                publisher.send_unanswered(outgoing).await?;
                window.sent(bytes, span);
            }
            *sent = Sent { position: event.position, id: Some(event.id) };
        }
        self.measure();
        Ok(())
    }

    /// The next events. The one before them is read too: a log that was restored under way may have another there.
    async fn continuation(&self, sent: &Sent) -> Result<Vec<RecordedEvent>, Trouble> {
        let known = usize::from(sent.id.is_some());
        let from = sent.position.saturating_sub(known as Position);
        let mut page = self.owned.log.read_all(from, PAGE + known).await?;
        let mut expected = from + 1..;
        if page.iter().any(|event| expected.next() != Some(event.position)) {
            return Err(Trouble::Odd(format!("the log has a hole after position {from}")));
        }
        if page.len() <= known || (known == 1 && page[0].id != sent.id.unwrap_or_default()) {
            let position = sent.position;
            return Err(Trouble::Odd(format!(
                "the log does not go on from its event at {position}"
            )));
        }
        page.drain(..known);
        Ok(page)
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge; positions stay far below 2^52")]
    fn measure(&self) {
        let lag = self.owned.head().saturating_sub(self.acknowledged);
        metrics::gauge!("docket_relay_position").set(self.acknowledged as f64);
        metrics::gauge!("docket_relay_lag_events").set(lag as f64);
    }

    fn published(&mut self, position: Position) {
        let published = position.saturating_sub(self.acknowledged);
        metrics::counter!("docket_relay_published_total").increment(published);
        self.acknowledged = position;
    }
}

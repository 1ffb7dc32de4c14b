//! The relay's loop.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::{ContextBuilder, PublishAckFuture};
use async_nats::jetstream::message::PublishMessage;
use async_nats::{Client, Subject};
use event_store::{Position, RecordedEvent};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;

use super::publish::{self, ContextOf, Publication, Subjects};
use super::window::{self, Window};
use crate::jetstream::backoff::Backoff;
use crate::jetstream::connection;
use crate::jetstream::names::Names;
use crate::jetstream::owner::OwnedLog;
use crate::jetstream::streams::EventsSettings;
use crate::jetstream::trouble::{Trouble, broker, chain};

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
    pub(super) context: Context,
    pub(super) names: Names,
    pub(super) owned: Arc<OwnedLog>,
    pub(super) settings: RelaySettings,
    /// When the stream was created that was told of.
    pub(super) told: Option<String>,
    /// The stream's settings can't be put right, and it was said.
    pub(super) unfit: bool,
    /// The epoch was raised for a stream that is not built anew yet.
    pub(super) raised: bool,
    /// The last position that the stream is known to have.
    acknowledged: Position,
    /// A publish of this session asked for an answer.
    is_heard: bool,
    client: Client,
    subjects: Subjects,
}

impl Relay {
    /// Publishes this log. The context in a subject is what the stream's name begins with, up to the first `-`.
    pub fn new(
        client: Client,
        names: Names,
        owned: Arc<OwnedLog>,
        settings: RelaySettings,
    ) -> Self {
        let subjects = Subjects::new(names.clone(), Arc::new(publish::beginning_of_stream));
        let context = context(&client, &settings);
        let (told, unfit, raised, acknowledged, is_heard) = (None, false, false, 0, false);
        Self {
            context,
            names,
            owned,
            settings,
            told,
            unfit,
            raised,
            acknowledged,
            is_heard,
            client,
            subjects,
        }
    }

    /// Takes the context in a subject from here: from stream and type.
    #[must_use]
    pub fn with_context_of(mut self, context_of: ContextOf) -> Self {
        self.subjects = Subjects::new(self.names.clone(), context_of);
        self
    }

    /// Publishes until it is stopped, whatever becomes of NATS meanwhile.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(4));
        loop {
            let client = self.client.clone();
            let session = async {
                connection::there(&client).await;
                connection::while_there(&client, self.session(&mut backoff)).await
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
            // Publishes that nobody answers any more hold room in the old context until they time out.
            self.context = context(&self.client, &self.settings);
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                return;
            }
        }
    }

    /// Publishes until something goes wrong, or the log is closed.
    async fn session(&mut self, backoff: &mut Backoff) -> Result<(), Trouble> {
        let mut sent = self.inspect().await?;
        self.owned.was_inspected();
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
                self.publish_page(&mut sent, &mut window, backoff).await?;
                continue;
            }
            tokio::select! {
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
                _ = identity.changed() => {
                    return Err(Trouble::Odd("the log has another epoch now".to_owned()));
                }
                _ = looks.tick(), if window.is_empty() => sent = self.inspect().await?,
            }
        }
    }

    /// Publishes what follows, as much as one page has.
    async fn publish_page(
        &mut self,
        sent: &mut Sent,
        window: &mut Window,
        backoff: &mut Backoff,
    ) -> Result<(), Trouble> {
        let page = self.continuation(sent).await?;
        let log = self.owned.known_identity();
        let stream = self.names.events();
        // What is published anew, or long after it happened, is no part of anything that anybody follows.
        let is_behind = page.len() >= PAGE;
        for (place, event) in page.iter().enumerate() {
            while !window.has_room() {
                if let Some(position) = window.oldest().await? {
                    backoff.reset();
                    self.published(position);
                }
            }
            let publication = Publication::of(&log, &stream, event)?;
            let bytes = publication.payload.len();
            let span = if is_behind { Span::none() } else { publish::span(event) };
            let subject = self.subjects.of(&log, event);
            // The first answer tells why the stream takes nothing; those after it only that something before them is not there.
            let is_answered =
                !self.is_heard || place + 1 == page.len() || window.asks_for_answer(bytes);
            if is_answered {
                let publish = self.answered(subject, publication).await?;
                window.sent_and_answered(event.position, bytes, publish, span);
                self.is_heard = true;
            } else {
                self.unanswered(subject, publication).await?;
                window.sent(bytes, span);
            }
            *sent = Sent { position: event.position, id: Some(event.id) };
        }
        self.measure();
        Ok(())
    }

    async fn answered(
        &self,
        subject: Subject,
        publication: Publication,
    ) -> Result<PublishAckFuture, Trouble> {
        let Publication { headers, payload } = publication;
        let message = PublishMessage::build().headers(headers).payload(payload);
        let publish = self.context.send_publish(subject, message).await;
        publish.map_err(broker("an event can't be sent"))
    }

    async fn unanswered(&self, subject: Subject, publication: Publication) -> Result<(), Trouble> {
        let Publication { headers, payload } = publication;
        let publish = self.client.publish_with_headers(subject, headers, payload);
        let publish = tokio::time::timeout(window::PATIENCE, publish).await;
        let publish = publish.map_err(broker("an event can't be sent in time"))?;
        publish.map_err(broker("an event can't be sent"))
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

/// Room for every publish of the window, and as many that wait for their end.
fn context(client: &Client, settings: &RelaySettings) -> Context {
    ContextBuilder::new()
        .timeout(window::PATIENCE)
        .ack_timeout(window::PATIENCE)
        .max_ack_inflight(settings.window_events * 2)
        .build(client.clone())
}

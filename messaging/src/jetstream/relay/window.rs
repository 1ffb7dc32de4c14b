//! The publishes that are on their way: many at once, bounded in events and bytes.
//!
//! Each names the sequence that it expects before it. So one that the stream takes tells that it took all before it, and only
//! some are answered: an answer costs the server and this process about as much as the publish.

use std::collections::VecDeque;
use std::future::IntoFuture;
use std::mem;
use std::time::Duration;

use async_nats::jetstream::context::{PublishAckFuture, PublishErrorKind};
use event_store::Position;
use tracing::Span;

use crate::jetstream::trouble::{Trouble, broker};

type Acknowledged = <PublishAckFuture as IntoFuture>::IntoFuture;

/// Of so many publishes one is answered, at least; and of so many bytes, well below the window's.
const ANSWERED_EVERY: usize = 64;
const ANSWERED_EVERY_BYTES: usize = 256 * 1024;

pub(super) struct Window {
    most_events: usize,
    most_bytes: usize,
    waiting: VecDeque<Waiting>,
    events: usize,
    bytes: usize,
    /// Sent since the last one that is answered.
    unanswered: Part,
}

/// Publishes one after another.
#[derive(Default)]
struct Part {
    events: usize,
    bytes: usize,
    /// They end with the acknowledgement.
    spans: Vec<Span>,
}

struct Waiting {
    /// Of the last of them, the only one that is answered.
    position: Position,
    part: Part,
    acknowledged: Acknowledged,
}

impl Window {
    pub(super) fn new(most_events: usize, most_bytes: usize) -> Self {
        let (waiting, unanswered) = (VecDeque::new(), Part::default());
        Self { most_events, most_bytes, waiting, events: 0, bytes: 0, unanswered }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether another publish may go.
    pub(super) fn has_room(&self) -> bool {
        self.events < self.most_events && self.bytes < self.most_bytes
    }

    /// Whether the next publish, which has so many bytes, has to be one that is answered.
    pub(super) fn asks_for_answer(&self, bytes: usize) -> bool {
        let part = &self.unanswered;
        part.events + 1 >= ANSWERED_EVERY || part.bytes + bytes >= ANSWERED_EVERY_BYTES
    }

    /// A publish was sent that is not answered.
    pub(super) fn sent(&mut self, bytes: usize, span: Span) {
        self.events += 1;
        self.bytes += bytes;
        self.unanswered.events += 1;
        self.unanswered.bytes += bytes;
        if !span.is_none() {
            self.unanswered.spans.push(span);
        }
    }

    /// A publish was sent whose answer is that of all before it too.
    pub(super) fn sent_and_answered(
        &mut self,
        position: Position,
        bytes: usize,
        publish: PublishAckFuture,
        span: Span,
    ) {
        self.sent(bytes, span);
        let (part, acknowledged) = (mem::take(&mut self.unanswered), publish.into_future());
        self.waiting.push_back(Waiting { position, part, acknowledged });
    }

    /// Waits until the oldest part is in the stream, and gives its last position. Given up in the middle, it loses
    /// nothing.
    pub(super) async fn oldest(&mut self) -> Result<Option<Position>, Trouble> {
        let Some(oldest) = self.waiting.front_mut() else { return Ok(None) };
        let acknowledged = (&mut oldest.acknowledged).await;
        let position = oldest.position;
        self.events -= oldest.part.events;
        self.bytes -= oldest.part.bytes;
        self.waiting.pop_front();
        match acknowledged {
            Ok(ack) if ack.sequence == position => Ok(Some(position)),
            Ok(ack) => Err(Trouble::Odd(format!(
                "the event of position {position} came to stand at {} of stream {}",
                ack.sequence, ack.stream
            ))),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {
                Err(Trouble::Fenced)
            }
            Err(error) => Err(broker("the stream of events did not take an event")(error)),
        }
    }
}

/// How long one publish may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

//! The publishes that are on their way: many at once, bounded in events and bytes.

use std::collections::VecDeque;
use std::future::IntoFuture;
use std::time::Duration;

use async_nats::jetstream::context::{PublishAckFuture, PublishErrorKind};
use event_store::Position;
use tracing::Span;

use crate::jetstream::trouble::{Trouble, broker};

type Acknowledged = <PublishAckFuture as IntoFuture>::IntoFuture;

pub(super) struct Window {
    most_events: usize,
    most_bytes: usize,
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

struct Waiting {
    position: Position,
    bytes: usize,
    acknowledged: Acknowledged,
    /// Ends with the acknowledgement.
    _span: Span,
}

impl Window {
    pub(super) fn new(most_events: usize, most_bytes: usize) -> Self {
        Self { most_events, most_bytes, waiting: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether another publish may go.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < self.most_events && self.bytes < self.most_bytes
    }

    pub(super) fn add(
        &mut self,
        position: Position,
        bytes: usize,
        publish: PublishAckFuture,
        span: Span,
    ) {
        self.bytes += bytes;
        let acknowledged = publish.into_future();
        self.waiting.push_back(Waiting { position, bytes, acknowledged, _span: span });
    }

    /// Waits until the oldest publish is in the stream, and gives its position. Given up in the middle, it loses
    /// nothing.
    pub(super) async fn oldest(&mut self) -> Result<Option<Position>, Trouble> {
        let Some(oldest) = self.waiting.front_mut() else { return Ok(None) };
        let acknowledged = (&mut oldest.acknowledged).await;
        let position = oldest.position;
        self.bytes -= oldest.bytes;
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

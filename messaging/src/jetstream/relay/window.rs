//! The publishes that are on their way: many at once, bounded in events and bytes.
//!
//! Each names the sequence that it expects before it. So one that the stream takes tells that it took all before it, and only
//! some are answered: an answer costs the server and this process about as much as the publish.

use std::collections::VecDeque;
use std::mem;

use event_store::Position;
use tracing::Span;

use crate::jetstream::carrier::Acknowledged;
use crate::jetstream::trouble::Trouble;

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
        // One that fills the window is answered: nothing else would make room again.
        part.events + 1 >= ANSWERED_EVERY
            || part.bytes + bytes >= ANSWERED_EVERY_BYTES
            || self.events + 1 >= self.most_events
            || self.bytes + bytes >= self.most_bytes
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
        acknowledged: Acknowledged,
        span: Span,
    ) {
        self.sent(bytes, span);
        let part = mem::take(&mut self.unanswered);
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
            Ok(sequence) if sequence == position => Ok(Some(position)),
            Ok(sequence) => Err(Trouble::Odd(format!(
                "the event of position {position} came to stand at {sequence} of the stream"
            ))),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::ready;

    use super::*;

    #[tokio::test]
    async fn a_window_that_is_full_has_something_to_wait_for() {
        let mut window = Window::new(4, 1_000);
        let mut position = 0;
        while window.has_room() {
            position += 1;
            if window.asks_for_answer(10) {
                window.sent_and_answered(position, 10, Box::pin(ready(Ok(position))), Span::none());
            } else {
                window.sent(10, Span::none());
            }
        }
        assert_eq!(position, 4);
        assert_eq!(window.oldest().await.unwrap(), Some(4));
        assert!(window.has_room());
    }
}

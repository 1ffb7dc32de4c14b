//! Answers requests for history from the log.

use std::sync::Arc;
use std::time::Duration;

use event_store::{RecordedEvent, StoreError};
use futures::StreamExt;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use super::wire::{Chunk, MOST_BYTES, MOST_EVENTS, Request};
use crate::jetstream::backoff::Backoff;
use crate::jetstream::carrier::{Asked, Carrier, Question};
use crate::jetstream::envelope;
use crate::jetstream::owner::OwnedLog;
use crate::jetstream::trouble::{Trouble, broker, chain};

/// Requests that are answered at the same time: history must not take the database from commands.
const AT_ONCE: usize = 4;
/// Events that are read at once.
const READ_AT_ONCE: usize = 500;
/// Envelopes that travel in one message, about: an event of the largest size still fits the usual limit of 1 MiB.
const CHUNK_BYTES: usize = 192 * 1024;

/// Answers from this log; give it a reader with connections of its own.
pub struct HistoryServer {
    carrier: Arc<dyn Carrier>,
    owned: Arc<OwnedLog>,
}

impl HistoryServer {
    /// Answers about this log.
    pub fn new(carrier: Arc<dyn Carrier>, owned: Arc<OwnedLog>) -> Self {
        Self { carrier, owned }
    }

    /// Answers until it is stopped.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        loop {
            let ended = stop.run_until_cancelled(self.session()).await;
            let Some(Err(trouble)) = ended else { return };
            tracing::warn!(cause = chain(&trouble), "nobody can ask for history now");
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                return;
            }
        }
    }

    async fn session(&self) -> Result<(), Trouble> {
        let requests = self.carrier.questions(Question::History).await?;
        requests
            .for_each_concurrent(AT_ONCE, |request| async move {
                if let Err(trouble) = self.answer(request).await {
                    tracing::warn!(
                        cause = chain(&trouble),
                        "a request for history was not answered"
                    );
                }
            })
            .await;
        Err(Trouble::Odd("the subscription ended".to_owned()))
    }

    async fn answer(&self, Asked { text, asker }: Asked) -> Result<(), Trouble> {
        let mut answer = Answer { server: self, asker, chunk: Vec::new(), bytes: 0, number: 0 };
        let request = match serde_json::from_slice(&text) {
            Ok(request) => request,
            Err(error) => return answer.send(true, Some(error.to_string())).await,
        };
        match self.read(request, &mut answer).await {
            Ok(()) => answer.send(true, None).await,
            Err(Trouble::Log(error)) => {
                answer.chunk.clear();
                answer.send(true, Some(chain(&error))).await?;
                Err(error.into())
            }
            Err(other) => Err(other),
        }
    }

    async fn read(&self, mut request: Request, answer: &mut Answer<'_>) -> Result<(), Trouble> {
        // Another process may have raised the epoch.
        self.owned.current_identity().await?;
        let (mut left, mut bytes) = (MOST_EVENTS, 0);
        loop {
            let (page, asked) = self.page(&request, left).await?;
            let Some(last) = page.last() else { return Ok(()) };
            move_on(&mut request, last, page.len());
            left -= page.len();
            let ended = page.len() < asked;
            for event in page {
                bytes += answer.add(&event).await?;
                if bytes >= MOST_BYTES {
                    return Ok(());
                }
            }
            if ended || left == 0 {
                return Ok(());
            }
        }
    }

    /// The next events, and how many were asked for.
    async fn page(
        &self,
        request: &Request,
        left: usize,
    ) -> Result<(Vec<RecordedEvent>, usize), StoreError> {
        let bound = left.min(READ_AT_ONCE);
        match request {
            Request::All { after, limit } => {
                let asked = bound.min(*limit);
                Ok((self.owned.log.read_all(*after, asked).await?, asked))
            }
            Request::Stream { stream, after, limit } => {
                let asked = bound.min(*limit);
                Ok((self.owned.log.read_stream(stream, *after, asked).await?, asked))
            }
        }
    }
}

/// Asks for what comes after these events.
fn move_on(request: &mut Request, last: &RecordedEvent, events: usize) {
    match request {
        Request::All { after, limit } => {
            *after = last.position;
            *limit = limit.saturating_sub(events);
        }
        Request::Stream { after, limit, .. } => {
            *after = last.version;
            *limit = limit.saturating_sub(events);
        }
    }
}

/// An answer on its way.
struct Answer<'s> {
    server: &'s HistoryServer,
    asker: String,
    chunk: Vec<Box<RawValue>>,
    bytes: usize,
    number: usize,
}

impl Answer<'_> {
    /// Adds an event, and gives its bytes.
    async fn add(&mut self, event: &RecordedEvent) -> Result<usize, Trouble> {
        let envelope = envelope::encode(&self.server.owned.known_identity(), event)?;
        let text = String::from_utf8(envelope.into());
        let text = text.map_err(broker("an envelope is no text"))?;
        let bytes = text.len();
        if self.bytes > 0 && self.bytes + bytes > CHUNK_BYTES {
            self.send(false, None).await?;
        }
        self.bytes += bytes;
        let raw = RawValue::from_string(text);
        self.chunk.push(raw.map_err(broker("an envelope is no JSON"))?);
        Ok(bytes)
    }

    async fn send(&mut self, last: bool, refused: Option<String>) -> Result<(), Trouble> {
        let owned = &self.server.owned;
        let chunk = Chunk {
            log: owned.known_identity(),
            head: owned.head(),
            number: self.number,
            last,
            events: std::mem::take(&mut self.chunk),
            refused,
        };
        self.number += 1;
        self.bytes = 0;
        let text = serde_json::to_vec(&chunk).map_err(broker("an answer can't be written"))?;
        Ok(self.server.carrier.answer(self.asker.clone(), text.into()).await?)
    }
}

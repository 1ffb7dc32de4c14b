//! Asks for history.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use event_store::{LogIdentity, Position, RecordedEvent, StreamId, Version};
use futures::StreamExt;

use super::wire::{Chunk, MOST_EVENTS, Request};
use crate::jetstream::announcements::Announcement;
use crate::jetstream::carrier::{Answer, Carrier, CarrierError, Coming, Question};
use crate::jetstream::envelope::{self, EnvelopeError};

/// How long the next message of an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// No process that has the log is there.
    #[error("no process that has the log is there")]
    Nobody,
    /// Whoever has the log does not answer in time.
    #[error("whoever has the log does not answer within {} s", PATIENCE.as_secs())]
    Silent,
    /// NATS can't be reached.
    #[error("the question can't be sent")]
    Unreachable(#[source] CarrierError),
    /// Whoever has the log can't read it now.
    #[error("the log can't be read: {0}")]
    Refused(String),
    /// The answer makes no sense.
    #[error("the answer about the log is broken: {0}")]
    Broken(String),
}

impl From<serde_json::Error> for HistoryError {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<EnvelopeError> for HistoryError {
    fn from(error: EnvelopeError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A part of history.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Which log it is of.
    pub log: LogIdentity,
    /// Where that log ends.
    pub head: Position,
    /// The events, oldest first, without holes.
    pub events: Vec<RecordedEvent>,
}

/// Asks whoever has the log.
#[derive(Clone)]
pub struct HistoryClient {
    carrier: Arc<dyn Carrier>,
}

impl HistoryClient {
    /// Asks over this carrier.
    pub fn new(carrier: Arc<dyn Carrier>) -> Self {
        Self { carrier }
    }

    /// How far the log is, by its owner's own word.
    pub async fn head(&self) -> Result<Announcement, HistoryError> {
        let asked = self.carrier.ask(Question::Head, Bytes::new()).await;
        let mut answers = asked.map_err(HistoryError::Unreachable)?;
        Ok(serde_json::from_slice(&next(&mut answers).await?)?)
    }

    /// Events after a position: at most `limit`, and fewer when they are many or large.
    pub async fn read_all(&self, after: Position, limit: usize) -> Result<Page, HistoryError> {
        let page = self.ask(&Request::All { after, limit: limit.min(MOST_EVENTS) }).await?;
        let positions = page.events.iter().map(|event| event.position);
        contiguous(after, positions)?;
        Ok(page)
    }

    /// Events of a stream after a version: at most `limit`, and fewer when they are many or large.
    pub async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Page, HistoryError> {
        let limit = limit.min(MOST_EVENTS);
        let page = self.ask(&Request::Stream { stream: stream.clone(), after, limit }).await?;
        contiguous(after, page.events.iter().map(|event| event.version))?;
        Ok(page)
    }

    async fn ask(&self, request: &Request) -> Result<Page, HistoryError> {
        let text = serde_json::to_vec(request)?;
        let asked = self.carrier.ask(Question::History, text.into()).await;
        let mut answers = asked.map_err(HistoryError::Unreachable)?;
        let (mut events, mut number) = (Vec::new(), 0);
        loop {
            let chunk: Chunk = serde_json::from_slice(&next(&mut answers).await?)?;
            if let Some(refused) = chunk.refused {
                return Err(HistoryError::Refused(refused));
            }
            // Another process that has the log says the same.
            if chunk.number < number {
                continue;
            }
            if chunk.number > number {
                return Err(HistoryError::Broken("a part of it was lost".to_owned()));
            }
            number += 1;
            for envelope in chunk.events {
                events.push(envelope::decode(envelope.get().as_bytes())?.event);
            }
            if chunk.last {
                return Ok(Page { log: chunk.log, head: chunk.head, events });
            }
        }
    }
}

async fn next(answers: &mut Coming<Answer>) -> Result<Bytes, HistoryError> {
    let answer = tokio::time::timeout(PATIENCE, answers.next()).await;
    match answer.map_err(|_| HistoryError::Silent)? {
        Some(Answer::Text(text)) => Ok(text),
        Some(Answer::Nobody) => Err(HistoryError::Nobody),
        None => Err(HistoryError::Silent),
    }
}

fn contiguous(after: u64, found: impl Iterator<Item = u64>) -> Result<(), HistoryError> {
    let mut last = after;
    for found in found {
        if last.checked_add(1) != Some(found) {
            return Err(HistoryError::Broken(format!("{found} comes after {last}")));
        }
        last = found;
    }
    Ok(())
}

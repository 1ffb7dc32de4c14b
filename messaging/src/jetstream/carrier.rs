//! What relay, announcer, history and feed need of a broker, and nothing more: a stream whose messages have sequences,
//! questions with their answers, announcements, and to know that a connection was lost.
//!
//! `NatsCarrier` is the one that is shipped. The simulation has one in memory, which fails as a broker does.
//!
//! **Invariant:** nothing here is believed. A carrier may lose, repeat, delay and forget whatever it has; who uses it
//! compares with the log. Every call ends, well or not, within seconds.

use std::sync::Arc;

use bytes::Bytes;
use event_store::{LogIdentity, Position};
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use super::streams::EventsSettings;
use super::trouble::Cause;

/// The carrier did not do it, as far as anybody can tell; it may have.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct CarrierError {
    pub(super) what: &'static str,
    #[source]
    pub(super) source: Cause,
}

impl CarrierError {
    /// Says what was not done, and why.
    pub fn new(what: &'static str, source: impl Into<Cause>) -> Self {
        Self { what, source: source.into() }
    }
}

/// Names what failed.
pub(super) fn failed<E: Into<Cause>>(what: &'static str) -> impl FnOnce(E) -> CarrierError {
    move |error| CarrierError::new(what, error)
}

/// Why an event is not known to be in the stream.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The stream does not end where the event was to follow: something else was published, or something was lost.
    #[error("the stream does not end before the event")]
    WrongLastSequence,
    /// It may be there or not.
    #[error(transparent)]
    Carrier(#[from] CarrierError),
}

/// An event to be published.
#[derive(Debug)]
pub struct Outgoing<'e> {
    /// Of which log it is.
    pub log: &'e LogIdentity,
    /// Of which context it is.
    pub context: String,
    /// Its type.
    pub event_type: &'e Arc<str>,
    /// The trace that it belongs to, if that can stand in a header.
    pub traceparent: Option<&'e str>,
    /// The message.
    pub envelope: Bytes,
    /// The sequence at which the stream has to end for it to be taken.
    pub after: Position,
}

/// Ends when the stream has taken an event, or not, with the sequence that it has there.
pub type Acknowledged = BoxFuture<'static, Result<Position, PublishError>>;

/// Publishes one after another without waiting for the end of each.
pub trait Publisher: Send + Sync {
    /// Sends an event. The outer future ends when it is on its way.
    fn send<'a>(
        &'a mut self,
        event: Outgoing<'a>,
    ) -> BoxFuture<'a, Result<Acknowledged, CarrierError>>;

    /// Sends an event of which nobody will hear whether it was taken, but by the answer to a later one.
    fn send_unanswered<'a>(
        &'a mut self,
        event: Outgoing<'a>,
    ) -> BoxFuture<'a, Result<(), CarrierError>>;
}

/// A message of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Where it stands in the stream.
    pub sequence: Position,
    /// What was published.
    pub envelope: Bytes,
}

/// What is asked of the log's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// How far the log is.
    Head,
    /// A part of it.
    History,
}

/// A question that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is asked.
    pub text: Bytes,
    /// Where the answer goes.
    pub asker: String,
}

/// What comes back for a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A part of the answer.
    Text(Bytes),
    /// Nobody is there who could answer.
    Nobody,
}

/// Ends once a connection is lost.
pub type Lost = BoxFuture<'static, ()>;

/// What comes in, as it comes.
pub type Coming<T> = BoxStream<'static, T>;

/// Carries copies of one log's events, and what is said about it.
pub trait Carrier: Send + Sync + 'static {
    /// Waits until it can be reached.
    fn reach(&self) -> BoxFuture<'_, Lost>;

    /// Whether it can be reached now.
    fn is_reached(&self) -> bool;

    /// The stream's last sequence; `None` when there is no stream. Settings that somebody changed are put right.
    fn find_stream(
        &self,
        wanted: EventsSettings,
    ) -> BoxFuture<'_, Result<Option<Position>, CarrierError>>;

    /// Creates the stream so that its first message gets the sequence `first`.
    fn create_stream(
        &self,
        wanted: EventsSettings,
        first: Position,
    ) -> BoxFuture<'_, Result<(), CarrierError>>;

    /// Deletes the stream; one that is gone is fine.
    fn delete_stream(&self) -> BoxFuture<'_, Result<(), CarrierError>>;

    /// The message of a sequence; `None` when it was deleted or has expired.
    fn message_at(&self, sequence: Position) -> BoxFuture<'_, Result<Option<Bytes>, CarrierError>>;

    /// Publishes with room for so many whose end nobody knows yet.
    fn publisher(&self, most: usize) -> Box<dyn Publisher>;

    /// The messages of the stream from a sequence on, in order, those that are missing passed over in silence.
    fn messages_from(
        &self,
        first: Position,
    ) -> BoxFuture<'_, Result<Coming<Result<Incoming, CarrierError>>, CarrierError>>;

    /// Tells everybody how far the log is.
    fn announce(&self, text: Bytes) -> BoxFuture<'_, Result<(), CarrierError>>;

    /// What is told, from now on.
    fn announcements(&self) -> BoxFuture<'_, Result<Coming<Bytes>, CarrierError>>;

    /// The questions of one kind, each of which everybody gets who listens.
    fn questions(&self, question: Question) -> BoxFuture<'_, Result<Coming<Asked>, CarrierError>>;

    /// Sends a part of an answer.
    fn answer(&self, asker: String, text: Bytes) -> BoxFuture<'_, Result<(), CarrierError>>;

    /// Asks, and gives what comes back.
    fn ask(
        &self,
        question: Question,
        text: Bytes,
    ) -> BoxFuture<'_, Result<Coming<Answer>, CarrierError>>;
}

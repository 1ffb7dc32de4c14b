//! What goes into the log and comes out of it.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The largest payload of an event, in bytes: more could not be published to every consumer.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;

/// Place in the log, counted from 1 in commit order; 0 is before the first event.
pub type Position = u64;

/// Place in a stream, counted from 1; 0 is a stream without events.
pub type Version = u64;

/// Name of a stream.
pub type StreamId = Arc<str>;

/// Which log this is. Positions of another log, or of another epoch of it, mean nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogIdentity {
    /// Drawn when the log was created; no `.` or `-` in it.
    pub log: Arc<str>,
    /// Rises when the log's history is no continuation of what was seen before, as after a restore.
    pub epoch: u32,
}

/// Where a reader of the log stands: beside every checkpoint stands the id of the event at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The log that was read.
    pub log: LogIdentity,
    /// The last position read; 0 before the first.
    pub position: Position,
    /// The id of the event there.
    pub event_id: Option<Uuid>,
}

/// What stands beside a payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The command that caused the event.
    pub command_id: Arc<str>,
    /// Who asked for it.
    pub actor: Arc<str>,
    /// What it is all about, across services: the first command of the chain.
    pub correlation_id: Arc<str>,
    /// The command or event right before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Arc<str>>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Arc<str>>,
    /// Business time: when it happened, not when it was recorded.
    pub occurred_at: DateTime<Utc>,
}

/// An event to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The stream that it continues.
    pub stream: StreamId,
    /// Its type, such as `OrderPlaced`.
    pub event_type: Arc<str>,
    /// The version of its payload's schema.
    pub schema_version: u32,
    /// JSON text.
    pub payload: String,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub version: Version,
    /// Drawn by the store when it is appended, time-ordered; never used for ordering.
    pub id: Uuid,
    /// Its type.
    pub event_type: Arc<str>,
    /// The version of its payload's schema.
    pub schema_version: u32,
    /// JSON text.
    pub payload: String,
    /// What stands beside the payload.
    pub metadata: Arc<Metadata>,
    /// When it was appended, by the store's clock.
    pub recorded_at: DateTime<Utc>,
}

/// The answer to a command, kept for ever under its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// JSON text, without version and position.
    pub body: String,
    /// The version of the stream that the answer speaks of, right after the command; 0 when it has no events.
    pub version: Version,
    /// The last position that the command caused, or the head it saw when it caused none.
    pub position: Position,
}

/// A side effect that is begun and not ended: it survives in the log's database until its outcome is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The command that began it.
    pub id: Arc<str>,
    /// What its participant needs to go on: JSON text.
    pub payload: String,
    /// When it was begun, by the store's clock.
    pub opened_at: DateTime<Utc>,
}

/// A change to the table of open intents, made by an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentChange {
    /// Begins one, with this payload.
    Open {
        /// Its id.
        id: Arc<str>,
        /// What its participant needs to go on: JSON text.
        payload: String,
    },
    /// Ends one; one that is not open stays so.
    Close {
        /// Its id.
        id: Arc<str>,
    },
}

/// What is remembered of a command that had its effect, or found that it was so already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerToKeep {
    /// HTTP status.
    pub status: u16,
    /// JSON text, without version and position.
    pub body: String,
    /// The stream whose version the answer names.
    pub target: StreamId,
}

/// One command's append: all of it or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct AppendTransaction {
    /// Principal and idempotency key: who asks, and under which name.
    pub command_id: Arc<str>,
    /// What was asked, as a keyed hash.
    pub request_hash: [u8; 32],
    /// Every stream that the decision read or writes, with the version it saw.
    pub reads: Vec<(StreamId, Version)>,
    /// The events, in order; none for a refusal or a no-op.
    pub events: Vec<NewEvent>,
    /// What stands beside each of the payloads.
    pub metadata: Arc<Metadata>,
    /// The answer to remember; `None` for a refusal, which had no effect and is judged anew when it comes again.
    pub answer: Option<AnswerToKeep>,
    /// Side effects begun and ended by it.
    pub intents: Vec<IntentChange>,
}

/// What became of one append transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Everything is on disk.
    Committed {
        /// The position of its last event; the head before it when it has no events.
        position: Position,
        /// The version of the answer's target stream afterwards, as in the remembered answer; 0 without an answer.
        version: Version,
    },
    /// A stream is not at the version that the decision saw, or an earlier transaction of the batch that this one was
    /// built on was not committed. Nothing was appended: load anew and decide again.
    Conflict {
        /// The first stream found so.
        stream: StreamId,
    },
    /// This command was answered before; nothing was appended.
    AlreadyApplied(StoredAnswer),
    /// This command id was used for another request; nothing was appended.
    KeyReused,
}

/// A remembered command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCommand {
    /// The hash of its request.
    pub request_hash: [u8; 32],
    /// Its answer.
    pub answer: StoredAnswer,
}

/// A stored fold of a stream's beginning. A cache: throwing it away changes nothing but time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The stream.
    pub stream: StreamId,
    /// Events folded into it.
    pub version: Version,
    /// The state: JSON text.
    pub state: String,
}

/// What a batch of commands needs to know, read in one snapshot of the database.
#[derive(Debug, Clone, Default)]
pub struct LoadRequest {
    /// Commands that may be known already.
    pub commands: Vec<Arc<str>>,
    /// Streams to be folded.
    pub streams: Vec<StreamId>,
    /// Hash of the states' schema: snapshots of another are not used.
    pub schema_hash: u64,
}

/// A stream as loaded: a snapshot of its beginning, if there is one, and the events after it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadedStream {
    /// The newest usable snapshot.
    pub snapshot: Option<Snapshot>,
    /// The events after the snapshot, oldest first.
    pub events: Vec<RecordedEvent>,
}

/// The answer to a [`LoadRequest`].
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The commands that are known.
    pub commands: HashMap<Arc<str>, KnownCommand>,
    /// Every stream asked for; one without events is empty.
    pub streams: HashMap<StreamId, LoadedStream>,
}

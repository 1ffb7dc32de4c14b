//! How cases say what they append and what they expect.

use std::sync::Arc;

use chrono::DateTime;

use crate::contract::EventLog;
use crate::types::{
    AnswerToKeep, AppendTransaction, IntentChange, LoadRequest, LoadedStream, Metadata, NewEvent,
    Position, RecordedEvent, StreamId, Verdict, Version,
};

/// A command that will be answered, without reads and events yet.
pub(super) fn command(id: &str) -> Draft {
    let metadata = Metadata {
        command_id: id.into(),
        actor: "a tester".into(),
        correlation_id: id.into(),
        causation_id: None,
        traceparent: None,
        occurred_at: DateTime::UNIX_EPOCH,
    };
    Draft(AppendTransaction {
        command_id: id.into(),
        request_hash: [1; 32],
        reads: Vec::new(),
        events: Vec::new(),
        metadata: Arc::new(metadata),
        answer: Some(AnswerToKeep {
            status: 201,
            body: format!(r#"{{"id":"{id}"}}"#),
            target: "unnamed".into(),
        }),
        intents: Vec::new(),
    })
}

/// A transaction in the making.
pub(super) struct Draft(AppendTransaction);

impl Draft {
    /// It saw the stream at this version. The first stream named is the one that its answer speaks of.
    pub(super) fn saw(mut self, stream: &str, version: Version) -> Self {
        self.target(stream);
        self.0.reads.push((stream.into(), version));
        self
    }

    /// It appends an event to the stream.
    pub(super) fn writes(self, stream: &str, event_type: &str) -> Self {
        self.writes_payload(stream, event_type, format!(r#"{{"is":"{event_type}"}}"#))
    }

    pub(super) fn writes_payload(
        mut self,
        stream: &str,
        event_type: &str,
        payload: String,
    ) -> Self {
        self.target(stream);
        self.0.events.push(NewEvent {
            stream: stream.into(),
            event_type: event_type.into(),
            schema_version: 1,
            payload,
        });
        self
    }

    /// Its answer is not to be remembered.
    pub(super) fn refused(mut self) -> Self {
        self.0.answer = None;
        self
    }

    /// It is another request than one with the same id.
    pub(super) fn asking_otherwise(mut self) -> Self {
        self.0.request_hash = [2; 32];
        self
    }

    pub(super) fn opens(mut self, id: &str, payload: &str) -> Self {
        self.0.intents.push(IntentChange::Open { id: id.into(), payload: payload.into() });
        self
    }

    pub(super) fn closes(mut self, id: &str) -> Self {
        self.0.intents.push(IntentChange::Close { id: id.into() });
        self
    }

    pub(super) fn build(self) -> AppendTransaction {
        self.0
    }

    fn target(&mut self, stream: &str) {
        let first = self.0.reads.is_empty() && self.0.events.is_empty();
        if let Some(answer) = self.0.answer.as_mut().filter(|_| first) {
            answer.target = stream.into();
        }
    }
}

/// Appends a batch.
pub(super) async fn append<const N: usize>(log: &dyn EventLog, batch: [Draft; N]) -> Vec<Verdict> {
    log.append(batch.map(Draft::build).into()).await.unwrap()
}

/// Appends `count` events to a stream without events, a transaction each.
pub(super) async fn fill(log: &dyn EventLog, stream: &str, count: u64) {
    let batch = (0..count).map(|version| {
        command(&format!("fill-{stream}-{version}")).saw(stream, version).writes(stream, "Filled")
    });
    for verdict in log.append(batch.map(Draft::build).collect()).await.unwrap() {
        assert!(matches!(verdict, Verdict::Committed { .. }), "{verdict:?}");
    }
}

pub(super) fn committed(position: Position, version: Version) -> Verdict {
    Verdict::Committed { position, version }
}

pub(super) fn conflict(stream: &str) -> Verdict {
    Verdict::Conflict { stream: stream.into() }
}

/// Everything in the log.
pub(super) async fn everything(log: &dyn EventLog) -> Vec<RecordedEvent> {
    log.read_all(0, usize::MAX).await.unwrap()
}

/// What the log says, short: position, stream, version, type.
pub(super) async fn story(log: &dyn EventLog) -> Vec<(Position, String, Version, String)> {
    let events = everything(log).await.into_iter();
    let told = |event: RecordedEvent| {
        let (stream, event_type) = (event.stream.to_string(), event.event_type.to_string());
        (event.position, stream, event.version, event_type)
    };
    events.map(told).collect()
}

/// A line of a [`story`].
pub(super) fn told(
    position: Position,
    stream: &str,
    version: Version,
    event_type: &str,
) -> (Position, String, Version, String) {
    (position, stream.into(), version, event_type.into())
}

/// Loads one stream.
pub(super) async fn load(log: &dyn EventLog, stream: &str, schema_hash: u64) -> LoadedStream {
    let stream: StreamId = stream.into();
    let streams = vec![Arc::clone(&stream)];
    let request = LoadRequest { commands: Vec::new(), streams, schema_hash };
    log.load(request).await.unwrap().streams.remove(&stream).unwrap()
}

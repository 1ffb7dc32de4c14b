//! Random batches on memory and on each database: equal verdicts, equal logs.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::DateTime;
use event_store::memory::MemoryLog;
use event_store::sqlite::SqliteLog;
use event_store::{
    AnswerToKeep, AppendTransaction, EventLog, IntentChange, LoadRequest, Metadata, NewEvent,
    Snapshot, StreamId, Verdict, Version,
};
use proptest::prelude::*;

use crate::postgres;

const STREAMS: [&str; 3] = ["a", "b", "c"];

/// A transaction in small numbers; versions are given by how far off the truth they are.
#[derive(Debug, Clone)]
struct Drawn {
    command: u8,
    other_request: bool,
    reads: Vec<(usize, i8)>,
    reads_what_it_writes: bool,
    writes: Vec<usize>,
    answered: bool,
    intents: Vec<(u8, bool)>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let off = prop_oneof![8 => Just(0_i8), 1 => Just(-1), 1 => Just(1)];
    (
        0..40_u8,
        proptest::bool::weighted(0.2),
        proptest::collection::vec((0..STREAMS.len(), off), 0..3),
        proptest::bool::weighted(0.8),
        proptest::collection::vec(0..STREAMS.len(), 0..4),
        proptest::bool::weighted(0.8),
        proptest::collection::vec((0..4_u8, any::<bool>()), 0..3),
    )
        .prop_map(
            |(command, other_request, reads, reads_what_it_writes, writes, answered, intents)| {
                Drawn {
                    command,
                    other_request,
                    reads,
                    reads_what_it_writes,
                    writes,
                    answered,
                    intents,
                }
            },
        )
}

impl Drawn {
    /// `versions` are those that a processor would believe in: it expects every transaction before to commit.
    fn transaction(&self, versions: &mut HashMap<usize, Version>) -> AppendTransaction {
        let id: Arc<str> = self.command.to_string().into();
        let written = self.writes.iter().filter(|_| self.reads_what_it_writes);
        let reads = self.reads.iter().copied().chain(written.map(|&stream| (stream, 0)));
        let reads = reads.map(|(stream, off)| {
            let version = versions.entry(stream).or_default().saturating_add_signed(off.into());
            (StreamId::from(STREAMS[stream]), version)
        });
        let reads = reads.collect();
        let events = self.writes.iter().map(|&stream| {
            *versions.entry(stream).or_default() += 1;
            NewEvent {
                stream: STREAMS[stream].into(),
                event_type: format!("Event{}", self.command % 3).into(),
                schema_version: 1,
                payload: format!("{{\"by\":{id}}}"),
            }
        });
        let events = events.collect();
        let intents = self.intents.iter().map(|&(id, open)| {
            let id: Arc<str> = id.to_string().into();
            if open {
                IntentChange::Open { id, payload: self.command.to_string() }
            } else {
                IntentChange::Close { id }
            }
        });
        AppendTransaction {
            request_hash: [u8::from(self.other_request); 32],
            reads,
            events,
            metadata: Arc::new(Metadata {
                command_id: Arc::clone(&id),
                actor: "a tester".into(),
                correlation_id: Arc::clone(&id),
                causation_id: None,
                traceparent: None,
                occurred_at: DateTime::UNIX_EPOCH,
            }),
            answer: self.answered.then(|| AnswerToKeep {
                status: 200,
                body: "{}".into(),
                target: STREAMS[usize::from(self.command) % STREAMS.len()].into(),
            }),
            intents: intents.collect(),
            command_id: id,
        }
    }
}

/// Everything that a log says, but for the ids and times that it drew itself.
async fn told(log: &dyn EventLog) -> Vec<String> {
    let mut lines = Vec::new();
    for event in log.read_all(0, usize::MAX).await.unwrap() {
        let id = uuid::Uuid::nil();
        let recorded_at = DateTime::UNIX_EPOCH;
        lines.push(format!("{:?}", event_store::RecordedEvent { id, recorded_at, ..event }));
    }
    for intent in log.open_intents().await.unwrap() {
        lines.push(format!("open: {} {}", intent.id, intent.payload));
    }
    let request = LoadRequest {
        commands: (0..40).map(|command: u8| command.to_string().into()).collect(),
        streams: STREAMS.map(StreamId::from).into(),
        schema_hash: 7,
    };
    let loaded = log.load(request).await.unwrap();
    let mut commands: Vec<_> = loaded.commands.into_iter().collect();
    commands.sort_by(|a, b| a.0.cmp(&b.0));
    lines.push(format!("{commands:?}"));
    for stream in STREAMS {
        let stream = &loaded.streams[stream];
        let versions: Vec<Version> = stream.events.iter().map(|event| event.version).collect();
        lines.push(format!("{:?} and {versions:?}", stream.snapshot));
    }
    lines.push(format!("head {}", *log.head().borrow()));
    lines
}

async fn versions(log: &dyn EventLog) -> HashMap<usize, Version> {
    let mut versions = HashMap::new();
    for (place, stream) in STREAMS.iter().enumerate() {
        let events = log.read_stream(&StreamId::from(*stream), 0, usize::MAX).await.unwrap();
        versions.insert(place, events.len() as Version);
    }
    versions
}

async fn run(batches: Vec<Vec<Drawn>>, stored: &dyn EventLog) {
    let memory = MemoryLog::new();
    for batch in batches {
        let mut believed = versions(&memory).await;
        let batch: Vec<AppendTransaction> =
            batch.iter().map(|drawn| drawn.transaction(&mut believed)).collect();
        let in_memory = memory.append(batch.clone()).await.unwrap();
        let in_store = stored.append(batch.clone()).await.unwrap();
        assert_eq!(in_memory, in_store, "{batch:?}");
        assert_eq!(in_memory.len(), batch.len());
        let committed = in_memory.iter().filter(|one| matches!(one, Verdict::Committed { .. }));
        let snapshots: Vec<Snapshot> = STREAMS
            .iter()
            .map(|stream| Snapshot {
                stream: (*stream).into(),
                version: committed.clone().count() as Version,
                state: "{}".into(),
            })
            .collect();
        memory.save_snapshots(7, snapshots.clone()).await.unwrap();
        stored.save_snapshots(7, snapshots).await.unwrap();
    }
    assert_eq!(told(&memory).await, told(stored).await);
    let events = memory.read_all(0, usize::MAX).await.unwrap();
    assert!(events.iter().map(|event| event.position).eq(1..=events.len() as u64));
}

async fn run_on_sqlite(batches: Vec<Vec<Drawn>>) {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(&folder.path().join("log.db")).await.unwrap();
    run(batches, &log).await;
    log.close().await;
}

async fn run_on_postgres(batches: Vec<Vec<Drawn>>) {
    let Some(place) = postgres::place() else { return };
    run(batches, &place.active().await).await;
}

fn drive(run: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run);
}

fn batches(most: usize) -> impl Strategy<Value = Vec<Vec<Drawn>>> {
    proptest::collection::vec(proptest::collection::vec(drawn(), 1..8), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_sqlite_agree_on_every_verdict_and_tell_the_same_story(batches in batches(10)) {
        drive(run_on_sqlite(batches));
    }
}

proptest! {
    // Each case is a database of its own: fewer and longer ones.
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_postgres_agree_on_every_verdict_and_tell_the_same_story(batches in batches(40)) {
        drive(run_on_postgres(batches));
    }
}

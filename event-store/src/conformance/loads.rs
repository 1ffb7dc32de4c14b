//! What a batch of commands needs to know, and snapshots, which save time and change nothing.

use std::sync::Arc;

use futures::future::join;

use super::fixtures::{append, command, fill, load};
use crate::contract::EventLog;
use crate::types::{KnownCommand, LoadRequest, LoadedStream, Snapshot, StoredAnswer, Version};

const SCHEMA: u64 = 0xfedc_ba98_7654_3210;

fn snapshot(stream: &str, version: Version) -> Snapshot {
    Snapshot { stream: stream.into(), version, state: format!(r#"{{"folded":{version}}}"#) }
}

fn versions(loaded: &LoadedStream) -> Vec<Version> {
    loaded.events.iter().map(|event| event.version).collect()
}

/// Known commands and whole streams, as the reads would give them.
pub async fn commands_and_streams_are_loaded_in_one_go(log: &dyn EventLog) {
    fill(log, "a", 3).await;
    append(log, [command("1").writes("b", "Begun").writes("a", "GoneOn")]).await;
    let streams = vec!["b".into(), "a".into()];
    let commands = vec!["1".into(), "fill-a-0".into()];
    let loaded = log.load(LoadRequest { commands, streams, schema_hash: SCHEMA }).await.unwrap();
    let answer =
        StoredAnswer { status: 201, body: r#"{"id":"1"}"#.into(), version: 1, position: 5 };
    assert_eq!(loaded.commands["1"], KnownCommand { request_hash: [1; 32], answer });
    assert_eq!((loaded.commands.len(), loaded.streams.len()), (2, 2));
    for (stream, found) in &loaded.streams {
        assert_eq!(found.snapshot, None);
        assert_eq!(found.events, log.read_stream(stream, 0, usize::MAX).await.unwrap());
    }
    assert_eq!(versions(&loaded.streams["a"]), [1, 2, 3, 4]);
}

/// A stream without events is there and empty; an unknown command is not there.
pub async fn what_is_unknown_loads_empty(log: &dyn EventLog) {
    fill(log, "a", 1).await;
    let (commands, streams) = (vec!["unknown".into()], vec!["b".into()]);
    let loaded = log.load(LoadRequest { commands, streams, schema_hash: SCHEMA }).await.unwrap();
    assert!(loaded.commands.is_empty());
    assert_eq!(loaded.streams.len(), 1);
    assert_eq!(loaded.streams["b"], LoadedStream::default());
    let nothing = log.load(LoadRequest::default()).await.unwrap();
    assert!(nothing.commands.is_empty() && nothing.streams.is_empty());
}

/// Two streams and a command that are always written together are always loaded together.
pub async fn a_load_sees_one_moment(log: &dyn EventLog) {
    const ROUNDS: u64 = 40;
    let writer = async {
        for round in 0..ROUNDS {
            let id = round.to_string();
            append(log, [command(&id).writes("a", "Written").writes("b", "Written")]).await;
            tokio::task::yield_now().await;
        }
    };
    let reader = async {
        let mut seen = 0;
        while seen < ROUNDS {
            let request = LoadRequest {
                commands: (0..ROUNDS).map(|round| Arc::from(round.to_string())).collect(),
                streams: vec!["a".into(), "b".into()],
                schema_hash: SCHEMA,
            };
            let loaded = log.load(request).await.unwrap();
            let [a, b] = ["a", "b"].map(|stream| loaded.streams[stream].events.len());
            assert_eq!((a, b), (b, loaded.commands.len()));
            seen = a as u64;
            tokio::task::yield_now().await;
        }
    };
    join(writer, reader).await;
}

/// With a snapshot only the events after it are loaded.
pub async fn a_snapshot_saves_reading_what_it_folds(log: &dyn EventLog) {
    fill(log, "a", 5).await;
    fill(log, "b", 2).await;
    log.save_snapshots(SCHEMA, vec![snapshot("a", 3), snapshot("b", 2)]).await.unwrap();
    let loaded = load(log, "a", SCHEMA).await;
    assert_eq!((loaded.snapshot.clone(), versions(&loaded)), (Some(snapshot("a", 3)), vec![4, 5]));
    let folded = load(log, "b", SCHEMA).await;
    assert_eq!((folded.snapshot.clone(), versions(&folded)), (Some(snapshot("b", 2)), vec![]));
    assert_eq!(log.read_stream(&"a".into(), 0, 9).await.unwrap().len(), 5);
}

/// The fold of another schema is not read, and gives way to one of this schema.
pub async fn a_snapshot_of_another_schema_is_not_used(log: &dyn EventLog) {
    fill(log, "a", 5).await;
    log.save_snapshots(SCHEMA, vec![snapshot("a", 5)]).await.unwrap();
    let loaded = load(log, "a", SCHEMA + 1).await;
    assert_eq!((loaded.snapshot.clone(), versions(&loaded)), (None, vec![1, 2, 3, 4, 5]));
    log.save_snapshots(SCHEMA + 1, vec![snapshot("a", 4)]).await.unwrap();
    let loaded = load(log, "a", SCHEMA + 1).await;
    assert_eq!((loaded.snapshot.clone(), versions(&loaded)), (Some(snapshot("a", 4)), vec![5]));
    assert_eq!(load(log, "a", SCHEMA).await.snapshot, None);
}

/// Two savers may come in any order.
pub async fn an_older_snapshot_never_replaces_a_newer_one(log: &dyn EventLog) {
    fill(log, "a", 5).await;
    for version in [2, 4, 3] {
        log.save_snapshots(SCHEMA, vec![snapshot("a", version)]).await.unwrap();
    }
    assert_eq!(load(log, "a", SCHEMA).await.snapshot, Some(snapshot("a", 4)));
}

/// A fold of events that are not in the log is no fold of the log.
pub async fn a_snapshot_ahead_of_its_stream_is_not_used(log: &dyn EventLog) {
    fill(log, "a", 2).await;
    log.save_snapshots(SCHEMA, vec![snapshot("a", 3), snapshot("b", 1)]).await.unwrap();
    let loaded = load(log, "a", SCHEMA).await;
    assert_eq!((loaded.snapshot.clone(), versions(&loaded)), (None, vec![1, 2]));
    assert_eq!(load(log, "b", SCHEMA).await, LoadedStream::default());
}

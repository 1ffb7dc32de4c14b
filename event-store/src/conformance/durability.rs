//! What is there after the process is gone.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::fixtures::{append, command, committed, everything, fill, load, story, told};
use crate::contract::EventLog;
use crate::types::{Snapshot, Verdict};

/// Where a log is kept. Dropping the log and opening it again is what a crash and a restart do: nothing says goodbye.
pub trait Place {
    /// Opens the log of this place; the first time it is empty.
    fn open(&self) -> BoxFuture<'_, Arc<dyn EventLog>>;
}

/// Checkpoints of others stay valid.
pub async fn a_log_keeps_its_identity(place: &impl Place) {
    let identity = place.open().await.identity();
    assert_eq!(identity.epoch, 1);
    assert!(!identity.log.is_empty() && identity.log.chars().all(|c| c.is_ascii_alphanumeric()));
    assert_eq!(place.open().await.identity(), identity);
}

/// Checkpoints of another log are told apart.
pub async fn two_logs_have_different_identities(place: &impl Place) {
    let other = crate::memory::MemoryLog::new();
    assert_ne!(place.open().await.identity().log, other.identity().log);
}

/// Events, head, intents and snapshots.
pub async fn everything_committed_is_there_after_a_crash(place: &impl Place) {
    let snapshot = Snapshot { stream: "a".into(), version: 2, state: "{}".into() };
    let log = place.open().await;
    fill(&*log, "a", 3).await;
    append(&*log, [command("1").writes("b", "Asked").opens("1", "7")]).await;
    log.save_snapshots(7, vec![snapshot.clone()]).await.unwrap();
    let (events, intents) = (everything(&*log).await, log.open_intents().await.unwrap());
    drop(log);

    let log = place.open().await;
    assert_eq!(*log.head().borrow(), 4);
    assert_eq!(everything(&*log).await, events);
    assert_eq!(log.open_intents().await.unwrap(), intents);
    assert_eq!(load(&*log, "a", 7).await.snapshot, Some(snapshot));
}

/// A client whose connection broke repeats its command to the next process.
pub async fn a_repeated_command_is_answered_after_a_crash(place: &impl Place) {
    let place_order = || command("place").saw("order", 0).writes("order", "Placed");
    assert_eq!(append(&*place.open().await, [place_order()]).await, [committed(1, 1)]);
    let log = place.open().await;
    let [Verdict::AlreadyApplied(answer)] = &append(&*log, [place_order()]).await[..] else {
        panic!("the command had a second effect");
    };
    assert_eq!((answer.status, answer.version, answer.position), (201, 1, 1));
    assert_eq!(story(&*log).await, [told(1, "order", 1, "Placed")]);
}

/// Without a hole, and without a position given twice.
pub async fn positions_go_on_after_a_crash(place: &impl Place) {
    for run in 0..3 {
        let log = place.open().await;
        let id = format!("run-{run}");
        let written = command(&id).saw("a", run).writes("a", "Written");
        assert_eq!(append(&*log, [written]).await, [committed(run + 1, run + 1)]);
    }
    assert_eq!(everything(&*place.open().await).await.len(), 3);
}

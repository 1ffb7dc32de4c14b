//! One append transaction: all of it, or nothing.

use futures::future::join_all;
use futures::poll;

use super::fixtures::{append, command, committed, conflict, everything, fill, story, told};
use crate::contract::EventLog;
use crate::error::AppendError;
use crate::types::{MAX_EVENT_BYTES, Verdict};

/// A new stream begins at version 1, a known one goes on.
pub async fn events_are_appended_to_new_and_known_streams(log: &dyn EventLog) {
    let first = command("1").saw("a", 0).writes("a", "Begun").writes("a", "GoneOn");
    assert_eq!(append(log, [first]).await, [committed(2, 2)]);
    let second = command("2").saw("a", 2).writes("a", "Ended").writes("b", "Begun");
    assert_eq!(append(log, [second]).await, [committed(4, 3)]);
    assert_eq!(
        story(log).await,
        [
            told(1, "a", 1, "Begun"),
            told(2, "a", 2, "GoneOn"),
            told(3, "a", 3, "Ended"),
            told(4, "b", 1, "Begun"),
        ]
    );
}

/// A writer that saw an old version loses, and leaves nothing behind.
pub async fn a_stale_append_is_refused_and_leaves_nothing(log: &dyn EventLog) {
    append(log, [command("1").saw("a", 0).writes("a", "Won")]).await;
    let lost = append(log, [command("2").saw("a", 0).writes("a", "Lost")]).await;
    assert_eq!(lost, [conflict("a")]);
    assert_eq!(story(log).await, [told(1, "a", 1, "Won")]);
    assert_eq!(*log.head().borrow(), 1);
}

/// A writer that saw what was never there loses too.
pub async fn a_version_from_the_future_is_refused(log: &dyn EventLog) {
    let lost = append(log, [command("1").saw("a", 1).writes("a", "Lost")]).await;
    assert_eq!(lost, [conflict("a")]);
    assert_eq!(story(log).await, []);
}

/// One stale stream among several refuses them all.
pub async fn an_append_to_several_streams_is_all_or_nothing(log: &dyn EventLog) {
    fill(log, "b", 1).await;
    let torn = command("1").saw("a", 0).saw("b", 0).writes("a", "Lost").writes("b", "Lost");
    assert_eq!(append(log, [torn]).await, [conflict("b")]);
    assert_eq!(story(log).await, [told(1, "b", 1, "Filled")]);
    let whole = command("2").saw("a", 0).saw("b", 1).writes("b", "Won").writes("a", "Won");
    assert_eq!(append(log, [whole]).await, [committed(3, 1)]);
    assert_eq!(story(log).await[1..], [told(2, "b", 2, "Won"), told(3, "a", 1, "Won")]);
}

/// Without an expectation an event goes to the end of its stream, wherever that is.
pub async fn a_stream_can_be_written_without_being_read(log: &dyn EventLog) {
    fill(log, "notes", 3).await;
    assert_eq!(append(log, [command("1").writes("notes", "Noted")]).await, [committed(4, 4)]);
}

/// A no-op is a transaction like any other: it is answered with the head that it saw.
pub async fn a_decision_without_events_commits_at_the_head(log: &dyn EventLog) {
    assert_eq!(append(log, [command("1").saw("a", 0)]).await, [committed(0, 0)]);
    fill(log, "a", 2).await;
    fill(log, "b", 1).await;
    assert_eq!(append(log, [command("2").saw("a", 2)]).await, [committed(3, 2)]);
    assert_eq!(everything(log).await.len(), 3);
}

/// A refusal that was decided on an old state is no refusal.
pub async fn a_decision_without_events_on_a_stale_read_is_refused(log: &dyn EventLog) {
    fill(log, "a", 2).await;
    assert_eq!(append(log, [command("1").saw("a", 1).refused()]).await, [conflict("a")]);
    assert_eq!(append(log, [command("1").saw("a", 2).refused()]).await, [committed(2, 0)]);
}

/// An event that could not be published is the caller's mistake: nothing of its batch is appended.
pub async fn a_too_large_event_refuses_the_whole_batch(log: &dyn EventLog) {
    let small = command("1").writes("a", "Small");
    let large = command("2").writes_payload("b", "Large", "7".repeat(MAX_EVENT_BYTES + 1));
    let refused = log.append(vec![small.build(), large.build()]).await;
    let Err(AppendError::EventTooLarge { event_type, size_bytes, limit_bytes }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (event_type.as_str(), size_bytes, limit_bytes),
        ("Large", MAX_EVENT_BYTES + 1, MAX_EVENT_BYTES)
    );
    assert_eq!(everything(log).await, []);
    assert_eq!(append(log, [command("1").writes("a", "Small")]).await, [committed(1, 1)]);
}

/// The limit itself is allowed.
pub async fn the_largest_event_is_appended(log: &dyn EventLog) {
    let payload = "7".repeat(MAX_EVENT_BYTES);
    let large = command("1").writes_payload("a", "Large", payload.clone());
    assert_eq!(append(log, [large]).await, [committed(1, 1)]);
    assert!(everything(log).await[0].payload == payload, "the payload came back changed");
}

/// Many writers saw the same version: one of them is first, the others are told.
pub async fn of_many_writers_with_one_expectation_one_wins(log: &dyn EventLog) {
    let ids: Vec<String> = (0..20).map(|writer| writer.to_string()).collect();
    let race = ids.iter().map(|id| append(log, [command(id).saw("a", 0).writes("a", "Won")]));
    let verdicts = join_all(race).await.concat();
    let won = verdicts.iter().filter(|verdict| **verdict == committed(1, 1)).count();
    let lost = verdicts.iter().filter(|verdict| **verdict == conflict("a")).count();
    assert_eq!((won, lost), (1, 19));
    assert_eq!(story(log).await, [told(1, "a", 1, "Won")]);
}

/// A caller that stops waiting finds all of its transaction later, or nothing; the log goes on either way.
pub async fn a_caller_that_goes_away_leaves_no_half_transaction(log: &dyn EventLog) {
    for caller in 0..10 {
        let id = format!("left-{caller}");
        let left = command(&id).writes("a", "Left").writes("b", "Left").build();
        let mut append = log.append(vec![left]);
        let _ = poll!(&mut append);
        drop(append);
    }
    let stayed = append(log, [command("stayed").writes("c", "Stayed")]).await;
    assert!(matches!(stayed[..], [Verdict::Committed { .. }]), "{stayed:?}");
    let story = story(log).await;
    let of = |stream: &str| story.iter().filter(|(_, of, ..)| of == stream).count();
    assert_eq!((of("a"), of("c")), (of("b"), 1));
    assert!(story.iter().map(|(position, ..)| *position).eq(1..=story.len() as u64), "{story:?}");
}

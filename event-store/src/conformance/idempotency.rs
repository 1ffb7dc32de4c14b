//! A command has one effect, however often it comes.

use super::fixtures::{append, command, committed, conflict, everything, fill, story, told};
use crate::contract::EventLog;
use crate::types::{Position, StoredAnswer, Verdict, Version};

fn already(id: &str, position: Position, version: Version) -> Verdict {
    let body = format!(r#"{{"id":"{id}"}}"#);
    Verdict::AlreadyApplied(StoredAnswer { status: 201, body, version, position })
}

/// The answer of the first time, with the version and position of the first time.
pub async fn a_repeated_command_gets_its_stored_answer(log: &dyn EventLog) {
    let place = || command("place").saw("order", 0).writes("order", "Placed").writes("x", "Noted");
    assert_eq!(append(log, [place()]).await, [committed(2, 1)]);
    append(log, [command("pay").saw("order", 1).writes("order", "Paid")]).await;
    assert_eq!(append(log, [place()]).await, [already("place", 2, 1)]);
    assert_eq!(append(log, [place(), place()]).await, vec![already("place", 2, 1); 2]);
    assert_eq!(everything(log).await.len(), 3);
}

/// A client that repeats knows no newer version, and need not.
pub async fn a_repeated_command_is_answered_whatever_it_read(log: &dyn EventLog) {
    append(log, [command("place").saw("order", 0).writes("order", "Placed")]).await;
    let repeated = command("place").saw("order", 9).saw("stock", 7).writes("stock", "Taken");
    assert_eq!(append(log, [repeated]).await, [already("place", 1, 1)]);
}

/// The id belongs to the first request for ever.
pub async fn another_request_under_the_same_id_is_told_so(log: &dyn EventLog) {
    append(log, [command("1").saw("a", 0).writes("a", "Won")]).await;
    let other = || command("1").saw("a", 1).writes("a", "Lost").asking_otherwise();
    assert_eq!(append(log, [other()]).await, [Verdict::KeyReused]);
    assert_eq!(append(log, [other().refused()]).await, [Verdict::KeyReused]);
    assert_eq!(story(log).await, [told(1, "a", 1, "Won")]);
}

/// A refusal had no effect: the same command is judged anew, and so is another under its id.
pub async fn a_refusal_is_not_remembered(log: &dyn EventLog) {
    assert_eq!(append(log, [command("1").saw("a", 0).refused()]).await, [committed(0, 0)]);
    fill(log, "a", 1).await;
    let other = command("1").saw("a", 1).refused().asking_otherwise();
    assert_eq!(append(log, [other]).await, [committed(1, 0)]);
    let accepted = command("1").saw("a", 1).writes("a", "Accepted");
    assert_eq!(append(log, [accepted]).await, [committed(2, 2)]);
}

/// A command that lost a race is decided again under the same id.
pub async fn a_conflict_is_not_remembered(log: &dyn EventLog) {
    fill(log, "a", 1).await;
    assert_eq!(append(log, [command("1").saw("a", 0).writes("a", "Lost")]).await, [conflict("a")]);
    let again = command("1").saw("a", 1).writes("a", "Won");
    assert_eq!(append(log, [again]).await, [committed(2, 2)]);
}

/// The second sees the outcome of the first.
pub async fn a_command_twice_in_one_batch_has_one_effect(log: &dyn EventLog) {
    let verdicts = append(
        log,
        [
            command("1").saw("a", 0).writes("a", "Won"),
            command("1").saw("a", 0).writes("a", "Won"),
            command("2").saw("b", 9).writes("b", "Lost"),
            command("2").saw("c", 0).writes("c", "Won"),
            command("3").saw("d", 0).refused(),
            command("3").saw("d", 0).writes("d", "Won"),
        ],
    );
    let expected = [
        committed(1, 1),
        already("1", 1, 1),
        conflict("b"),
        committed(2, 1),
        committed(2, 0),
        committed(3, 1),
    ];
    assert_eq!(verdicts.await, expected);
    let kept = [told(1, "a", 1, "Won"), told(2, "c", 1, "Won"), told(3, "d", 1, "Won")];
    assert_eq!(story(log).await, kept);
}

/// Also when the first request is in the same batch.
pub async fn another_request_under_the_same_id_in_one_batch_is_told_so(log: &dyn EventLog) {
    let first = command("1").saw("a", 0).writes("a", "Won");
    let other = command("1").saw("b", 0).writes("b", "Lost").asking_otherwise();
    assert_eq!(append(log, [first, other]).await, [committed(1, 1), Verdict::KeyReused]);
    assert_eq!(story(log).await, [told(1, "a", 1, "Won")]);
}

/// A command that found everything done is answered the same way for ever, though the world goes on.
pub async fn an_answer_without_events_is_remembered(log: &dyn EventLog) {
    fill(log, "a", 2).await;
    assert_eq!(append(log, [command("1").saw("a", 2)]).await, [committed(2, 2)]);
    append(log, [command("2").saw("a", 2).writes("a", "GoneOn")]).await;
    assert_eq!(append(log, [command("1").saw("a", 3)]).await, [already("1", 2, 2)]);
}

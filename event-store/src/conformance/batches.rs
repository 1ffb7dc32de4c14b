//! Many append transactions with one commit: what each owes its neighbours.

use super::fixtures::{Draft, append, command, committed, conflict, fill, story, told};
use crate::contract::EventLog;
use crate::types::{AppendTransaction, Verdict};

/// Nothing to append is no mistake.
pub async fn an_empty_batch_has_no_verdicts(log: &dyn EventLog) {
    assert_eq!(append(log, []).await, []);
}

/// A transaction that has nothing to do with a conflict is committed beside it.
pub async fn a_conflict_does_not_fail_its_neighbours(log: &dyn EventLog) {
    let verdicts = append(
        log,
        [
            command("1").saw("a", 0).writes("a", "Won"),
            command("2").saw("b", 7).writes("b", "Lost"),
            command("3").saw("c", 0).writes("c", "Won"),
        ],
    );
    assert_eq!(verdicts.await, [committed(1, 1), conflict("b"), committed(2, 1)]);
    assert_eq!(story(log).await, [told(1, "a", 1, "Won"), told(2, "c", 1, "Won")]);
}

/// A decision may see what an earlier one of the same batch decided.
pub async fn a_later_transaction_builds_on_an_earlier_one(log: &dyn EventLog) {
    let verdicts = append(
        log,
        [
            command("1").saw("stock", 0).writes("stock", "Received"),
            command("2").saw("stock", 1).writes("stock", "Taken").writes("order", "Placed"),
            command("3").saw("order", 1).saw("stock", 2).writes("order", "Paid"),
        ],
    );
    assert_eq!(verdicts.await, [committed(1, 1), committed(3, 2), committed(4, 2)]);
}

/// Stock 10. Another writer takes 8. The batch, which saw 10, takes 5 and then, seeing 5, takes 4. The second take's
/// version is the one that the other writer's event has made true; still it saw a stock that never was.
pub async fn what_is_built_on_a_conflict_is_a_conflict(log: &dyn EventLog) {
    append(log, [command("receive-10").saw("stock", 0).writes("stock", "Received10")]).await;
    append(log, [command("take-8").saw("stock", 1).writes("stock", "Took8")]).await;
    let verdicts = append(
        log,
        [
            command("take-5").saw("stock", 1).writes("stock", "Took5"),
            command("take-4").saw("stock", 2).writes("stock", "Took4"),
        ],
    );
    assert_eq!(verdicts.await, [conflict("stock"), conflict("stock")]);
    let kept = [told(1, "stock", 1, "Received10"), told(2, "stock", 2, "Took8")];
    assert_eq!(story(log).await, kept);
}

/// What is built on a conflict would have written too: nothing may be built on that either.
pub async fn a_conflict_passes_on_through_what_is_built_on_it(log: &dyn EventLog) {
    let verdicts = append(
        log,
        [
            command("1").saw("a", 9).writes("a", "Lost"),
            command("2").saw("a", 0).saw("b", 0).writes("b", "Lost"),
            command("3").saw("b", 0).saw("c", 0).writes("c", "Lost"),
            command("4").writes("c", "Lost"),
            command("5").saw("d", 0).writes("d", "Won"),
        ],
    );
    let expected = [conflict("a"), conflict("a"), conflict("b"), conflict("c"), committed(1, 1)];
    assert_eq!(verdicts.await, expected);
    assert_eq!(story(log).await, [told(1, "d", 1, "Won")]);
}

/// A refusal for a reason that never came about is no refusal, even when its version fits by chance.
pub async fn a_refusal_that_read_a_lost_write_is_a_conflict(log: &dyn EventLog) {
    fill(log, "stock", 1).await;
    let verdicts = append(
        log,
        [
            command("1").saw("stock", 0).writes("stock", "TookTheLast"),
            command("2").saw("stock", 1).refused(),
        ],
    );
    assert_eq!(verdicts.await, [conflict("stock"), conflict("stock")]);
}

/// A repeated command writes nothing: whoever saw its events a second time saw what is not there.
pub async fn what_is_built_on_a_repeated_command_is_a_conflict(log: &dyn EventLog) {
    let take = || command("take").saw("stock", 0).writes("stock", "Taken");
    append(log, [take()]).await;
    let next = command("next").saw("stock", 1).writes("stock", "TakenAgain");
    let verdicts = append(log, [take(), next]).await;
    assert!(matches!(verdicts[0], Verdict::AlreadyApplied(_)), "{verdicts:?}");
    assert_eq!(verdicts[1], conflict("stock"));
    assert_eq!(story(log).await, [told(1, "stock", 1, "Taken")]);
}

/// A conflict takes no position, neither inside a batch nor between two.
pub async fn positions_are_dense_across_batches_and_conflicts(log: &dyn EventLog) {
    for round in 0..5 {
        let write = |name: &str| command(&format!("{name}-{round}")).saw("a", round);
        append(
            log,
            [
                write("lost").saw("b", 99).writes("b", "Lost"),
                write("won").writes("a", "Won").writes("c", "Won").writes("c", "Won"),
                write("late").writes("a", "Lost"),
            ],
        )
        .await;
    }
    let story = story(log).await;
    assert_eq!(story.len(), 15);
    assert!(story.iter().map(|(position, ..)| *position).eq(1..=15), "{story:?}");
}

/// A batch of any size is one commit in the order of its transactions.
pub async fn a_large_batch_is_appended_in_order(log: &dyn EventLog) {
    const SIZE: u64 = 617;
    let write = |n: u64| command(&n.to_string()).saw("hot", n).writes("hot", &format!("Event{n}"));
    let batch: Vec<AppendTransaction> = (0..SIZE).map(write).map(Draft::build).collect();
    let verdicts = log.append(batch).await.unwrap();
    assert!(verdicts.into_iter().eq((1..=SIZE).map(|n| committed(n, n))));
    let expected = (1..=SIZE).map(|n| told(n, "hot", n, &format!("Event{}", n - 1)));
    assert!(story(log).await.into_iter().eq(expected));
}

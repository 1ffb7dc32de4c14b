//! Late commits: many writers that stall between their insert and their commit, roll back and are killed, beside a follower
//! that must see every position once, in order, and no transaction torn.
//!
//! That the follower would see it otherwise is tested too: in a database whose functions take no lock.

mod follower;
mod functions;
mod writers;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::follower::{Fault, Followed, Watched, follow};
use self::functions::{Lock, make_naive};
use self::writers::{Story, WRITERS, write_all};
use super::{Migrated, place};

/// What the follower saw beside the writers, and what these committed.
async fn follow_beside(
    place: &Migrated,
    story: Story,
) -> (Result<Followed, Fault>, BTreeSet<String>) {
    let log = place.active().await;
    let watched = Arc::new(Watched::default());
    let following = {
        let watched = Arc::clone(&watched);
        tokio::spawn(async move { follow(&log, &watched).await })
    };
    let committed = write_all(place, story, &watched).await;
    (following.await.unwrap(), committed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_beside_late_commits_rollbacks_and_kills_sees_exactly_1_to_n() {
    let Some(place) = place() else { return };
    let (followed, committed) = follow_beside(&place, Story::AsItComes).await;
    let followed = followed.unwrap();
    assert!(committed.len() as u64 > WRITERS, "hardly anything was committed");
    assert_eq!(followed.commands.len(), committed.len() * 2);
    // It followed: it saw what was committed bit by bit, and it looked while somebody had inserted and not committed.
    let (fruitful, beside) = (followed.fruitful_reads, followed.reads_beside_a_stall);
    assert!(fruitful > WRITERS && beside > WRITERS, "{fruitful} reads, {beside} beside a stall");
    assert_eq!(followed.commands.into_iter().collect::<BTreeSet<String>>(), committed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_lock_the_same_follower_passes_over_events_that_commit_late() {
    let Some(place) = place() else { return };
    drop(place.active().await);
    make_naive(&mut place.connection().await, Lock::LeftOut).await;
    let (followed, committed) = follow_beside(&place, Story::CommitsOnly).await;
    let Err(Fault::PassedOver { expected, found }) = followed else {
        unreachable!("nothing that is taken out of the functions would be noticed: {followed:?}")
    };
    assert!(found > expected, "{found} instead of {expected}");
    // It was late, and did come: nothing was rolled back.
    let log = super::commands_of_dense_log(&place.active().await).await;
    assert_eq!(log.into_iter().collect::<BTreeSet<String>>(), committed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_lock_positions_from_a_sequence_are_no_fault_as_long_as_all_commit() {
    let Some(place) = place() else { return };
    drop(place.active().await);
    make_naive(&mut place.connection().await, Lock::Taken).await;
    let (followed, committed) = follow_beside(&place, Story::CommitsOnly).await;
    assert_eq!(
        followed.unwrap().commands.len(),
        committed.len() * 2,
        "it is the lock that is missing above"
    );
}

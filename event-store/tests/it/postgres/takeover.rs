//! One writer: whoever raised the token last appends, and everyone else is refused whole.

use event_store::{AppendError, AppendTransaction, EventLog, Verdict};
use futures::future::join_all;

use super::{commands_of_dense_log, place, writes};

const PAST_EVERY_WRITER: &str = "INSERT INTO events
    SELECT position + 1, stream, version + 1, id, type, schema_version, payload, metadata, recorded_at
    FROM events ORDER BY position DESC LIMIT 1";

#[tokio::test]
async fn a_standby_reads_and_is_refused_until_it_takes_over() {
    let Some(place) = place() else { return };
    let standby = place.standby().await;
    let refused = standby.append(vec![writes("1", &["a"])]).await;
    assert!(matches!(refused, Err(AppendError::Superseded)), "{refused:?}");
    assert_eq!(standby.read_all(0, 9).await.unwrap(), []);
    standby.take_over().await.unwrap();
    standby.append(vec![writes("1", &["a"])]).await.unwrap();
}

#[tokio::test]
async fn after_a_takeover_the_old_writer_is_refused_whole_and_positions_go_on() {
    let Some(place) = place() else { return };
    let old = place.active().await;
    old.append(vec![writes("1", &["a", "b"])]).await.unwrap();
    let new = place.active().await;
    // Also what is known and what would be refused anyway: an old writer learns nothing but that it is old.
    let batch = vec![writes("1", &["a", "b"]), writes("2", &["a"]), writes("3", &["c"])];
    let refused = old.append(batch).await;
    assert!(matches!(refused, Err(AppendError::Superseded)), "{refused:?}");
    assert_eq!(*old.token().borrow(), None);
    new.append(vec![writes("4", &["a"])]).await.unwrap();
    assert_eq!(commands_of_dense_log(&new).await, ["1", "1", "4"]);
    old.take_over().await.unwrap();
    old.append(vec![writes("5", &["a"])]).await.unwrap();
    assert_eq!(commands_of_dense_log(&old).await, ["1", "1", "4", "5"]);
}

#[tokio::test]
async fn what_was_given_up_is_under_an_old_token_and_only_the_active_one_shuts_out() {
    let Some(place) = place() else { return };
    let log = place.active().await;
    log.append(vec![writes("1", &["a"])]).await.unwrap();
    let before = log.token().borrow().unwrap();
    log.shut_out().await.unwrap();
    assert_eq!(*log.token().borrow(), Some(before + 1), "what is on its way has the one before");
    log.append(vec![writes("2", &["a"])]).await.unwrap();

    let new = place.active().await;
    let refused = log.shut_out().await;
    assert!(matches!(refused, Err(AppendError::Superseded)), "{refused:?}");
    assert_eq!(*log.token().borrow(), None);
    new.append(vec![writes("3", &["a"])]).await.unwrap();
    assert_eq!(commands_of_dense_log(&new).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn what_the_writer_knows_counts_only_at_the_head_that_it_reached() {
    let Some(place) = place() else { return };
    let log = place.active().await;
    let seeing = |id: &str, seen| AppendTransaction {
        reads: vec![("a".into(), seen)],
        ..writes(id, &["a"])
    };
    for (id, seen) in [("1", 0), ("2", 1), ("3", 2)] {
        let verdicts = log.append(vec![seeing(id, seen)]).await.unwrap();
        assert!(
            matches!(verdicts[..], [Verdict::Committed { version, .. }] if version == seen + 1)
        );
    }
    let stale = log.append(vec![seeing("4", 2)]).await.unwrap();
    assert!(matches!(stale[..], [Verdict::Conflict { .. }]), "{stale:?}");
    let ahead = log.append(vec![seeing("5", 4)]).await.unwrap();
    assert!(matches!(ahead[..], [Verdict::Conflict { .. }]), "{ahead:?}");

    // Somebody wrote past every writer, which nobody may.
    log.append(vec![seeing("6", 3)]).await.unwrap();
    sqlx::query(PAST_EVERY_WRITER).execute(&mut place.connection().await).await.unwrap();
    let overtaken = log.append(vec![seeing("7", 4)]).await.unwrap();
    assert!(matches!(overtaken[..], [Verdict::Conflict { .. }]), "{overtaken:?}");
    log.append(vec![seeing("8", 5)]).await.unwrap();
    assert_eq!(commands_of_dense_log(&log).await, ["1", "2", "3", "6", "6", "8"]);
}

#[tokio::test]
async fn only_who_has_the_newest_token_raises_the_epoch() {
    let Some(place) = place() else { return };
    let old = place.active().await;
    let new = place.active().await;
    // Nobody told it that it is old: the server refuses.
    assert!(old.token().borrow().is_some());
    let refused = old.raise_epoch().await;
    assert!(matches!(refused, Err(AppendError::Superseded)), "{refused:?}");
    assert_eq!(*old.token().borrow(), None, "and it knows now");
    assert_eq!(new.raise_epoch().await.unwrap().epoch, 2, "nothing was raised before");
}

/// Each of four writers sends its commands until each has a verdict, and takes the log over whenever it lost it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_fight_for_the_log_leave_each_effect_once_and_no_hole() {
    const COMMANDS: usize = 25;
    let Some(place) = place() else { return };
    let writers = [place.active().await, place.active().await, place.active().await];
    let fighting = writers.iter().enumerate().map(async |(writer, log)| {
        let mut lost = 0;
        for command in 0..COMMANDS {
            let command = writes(&format!("{writer}-{command}"), &["a", "b"]);
            loop {
                match log.append(vec![command.clone()]).await {
                    Ok(verdicts) => {
                        assert!(
                            matches!(verdicts[..], [Verdict::Committed { .. }]),
                            "{verdicts:?}"
                        );
                        break;
                    }
                    Err(AppendError::Superseded) => {
                        lost += 1;
                        log.take_over().await.unwrap();
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
            tokio::task::yield_now().await;
        }
        lost
    });
    let lost: Vec<usize> = join_all(fighting).await;
    assert!(lost.iter().sum::<usize>() > 0, "nobody ever lost the log");
    let mut commands = commands_of_dense_log(&writers[0]).await;
    assert_eq!(commands.len(), writers.len() * COMMANDS * 2);
    commands.dedup();
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands.len(), writers.len() * COMMANDS);
}

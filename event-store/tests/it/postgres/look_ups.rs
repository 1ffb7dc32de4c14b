//! What the server reads to answer, where it made its plans on a log that was hardly begun.

use event_store::{AppendTransaction, EventLog, LoadRequest, StreamId, Verdict, Version};
use sqlx::PgConnection;
use tokio::time::timeout;

use super::{PATIENCE, place, writes};

/// Statistics are of now, and others come when the server has the time.
const STATISTICS: [&str; 4] = [
    "ALTER TABLE events SET (autovacuum_enabled = false)",
    "ALTER TABLE commands SET (autovacuum_enabled = false)",
    "ALTER TABLE snapshots SET (autovacuum_enabled = false)",
    "VACUUM ANALYZE events, commands, snapshots",
];
/// Of those that are gone everything is counted.
const CONNECTIONS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";
const READ: &str = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes
    WHERE relname IN ('events', 'commands', 'snapshots')";

const BATCHES: usize = 20;
const IN_A_BATCH: usize = 250;
/// Rounds of a few look-ups each.
const ROUNDS: usize = 10;

/// A command that appends to a stream of this version.
fn appends(id: &str, stream: &str, version: Version, answered: bool) -> AppendTransaction {
    let transaction = writes(id, &[stream]);
    let answer = transaction.answer.filter(|_| answered);
    AppendTransaction { reads: vec![(stream.into(), version)], answer, ..transaction }
}

/// Appends in every way that looks something up, and loads.
async fn look_ups(log: &dyn EventLog, round: usize) {
    let (id, stream) = (|what: &str| format!("{what}/{round}"), format!("stream/{round}"));
    let passes = async |transaction| {
        let verdict = log.append(vec![transaction]).await.unwrap().remove(0);
        assert!(matches!(verdict, Verdict::Committed { .. }), "{verdict:?}");
    };
    passes(appends(&id("unanswered"), &stream, 0, false)).await;
    // What the writer knows by heart is no look-up.
    log.shut_out().await.unwrap();
    passes(appends(&id("grown"), &stream, 1, true)).await;
    let again = log.append(vec![appends(&id("grown"), &stream, 1, true)]).await.unwrap().remove(0);
    assert!(matches!(again, Verdict::AlreadyApplied(..)), "{again:?}");
    let request = LoadRequest {
        commands: vec![id("grown").into(), id("unknown").into()],
        streams: vec![StreamId::from(stream.as_str())],
        schema_hash: 1,
    };
    let loaded = log.load(request).await.unwrap();
    assert_eq!((loaded.commands.len(), loaded.streams[&*stream].events.len()), (1, 2));
}

/// Entries of indexes that were read, once every connection of the log is gone.
async fn entries_read(connection: &mut PgConnection) -> i64 {
    let gone = async {
        while sqlx::query_scalar::<_, i64>(CONNECTIONS).fetch_one(&mut *connection).await.unwrap()
            > 0
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
    sqlx::query_scalar(READ).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn a_look_up_reads_what_it_looks_for_also_where_plans_were_made_on_a_log_of_few_events() {
    let Some(place) = place() else { return };
    let log = place.active().await;
    let mut connection = place.connection().await;
    look_ups(&log, 0).await;
    for statement in STATISTICS {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    look_ups(&log, 1).await;
    for batch in 0..BATCHES {
        let id = |number: usize| format!("{batch}/{number}");
        let batch = (0..IN_A_BATCH).map(|number| appends(&id(number), &id(number), 0, true));
        log.append(batch.collect()).await.unwrap();
    }
    for round in 2..ROUNDS {
        look_ups(&log, round).await;
    }
    log.close().await;
    let read = entries_read(&mut connection).await;
    let all = i64::try_from(BATCHES * IN_A_BATCH).unwrap();
    assert!(read < all, "{read} entries of indexes were read of a log of {all} events");
}

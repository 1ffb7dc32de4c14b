//! Late commits: many writers that stall between their insert and their commit, roll back and are killed, beside a follower
//! that must see every position once, in order, and no transaction torn.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_store::EventLog;
use futures::future::join_all;
use sqlx::{Connection as _, PgConnection};

use super::{Migrated, place};

const CONNECTIONS: u64 = 64;
const APPENDS: u64 = 12;

/// One transaction with an event on each of two streams, by the function that judges.
const JUDGED: &str = "SELECT head FROM append_to_log(
    own_token => (SELECT token FROM log_writer), now_micros => 0, stream_names => ARRAY[$1, $2], ids_repeat => false,
    command_ids => ARRAY[$3], tx_command => ARRAY[1], tx_hash => ARRAY['\\x01'::bytea], tx_status => ARRAY[200],
    tx_body => ARRAY['{}'], tx_target => ARRAY[1], tx_target_offset => ARRAY[1], tx_last => ARRAY[2],
    read_tx => '{}', read_stream => '{}', read_version => '{}', read_base => '{}',
    event_tx => ARRAY[1, 1], event_place => ARRAY[1, 2], event_stream => ARRAY[1, 2], event_name => ARRAY[$1, $2],
    event_offset => ARRAY[1, 1], event_id => ARRAY[gen_random_uuid(), gen_random_uuid()],
    event_type => ARRAY['Written', 'Written'], event_schema => ARRAY[1, 1], event_payload => ARRAY['{}', '{}'],
    event_metadata => ARRAY[$4, $4],
    intent_tx => '{}', intent_opens => '{}', intent_id => '{}', intent_payload => '{}')";

/// The same by the function that only checks: the streams are new.
const UNDISPUTED: &str = "SELECT append_undisputed(
    own_token => (SELECT token FROM log_writer), now_micros => 0, grown_stream => '{}', grown_version => '{}',
    read_stream => '{}', read_version => '{}',
    unanswered_id => '{}', event_stream => ARRAY[$1 || $3, $2 || $3], event_version => ARRAY[1, 1],
    event_id => ARRAY[gen_random_uuid(), gen_random_uuid()], event_type => ARRAY['Written', 'Written'],
    event_schema => ARRAY[1, 1], event_payload => ARRAY['{}', '{}'], event_metadata => ARRAY[$4, $4],
    answer_id => ARRAY[$3], answer_hash => ARRAY['\\x01'::bytea], answer_status => ARRAY[200],
    answer_body => ARRAY['{}'], answer_version => ARRAY[1], answer_place => ARRAY[2],
    closed_id => '{}', opened_id => '{}', opened_payload => '{}')";

const STALL: &str = "SELECT pg_sleep($1)";
const KILL: &str = "SELECT pg_terminate_backend($1)";
const PID: &str = "SELECT pg_backend_pid()";

/// What a writer does after its insert.
#[derive(Debug, Clone, Copy)]
enum End {
    Commit,
    RollBack,
    Die,
}

/// Appends one after another, each with its own end; answers the commands that it committed.
async fn write(place: &Migrated, writer: u64) -> Vec<String> {
    // The same story in every run, another one for each writer.
    let mut dice = writer.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut roll = move |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let mut connection = place.connection().await;
    let mut committed = Vec::new();
    for append in 0..APPENDS {
        let id = format!("{writer}-{append}");
        let (one, other) = (roll(8), roll(7));
        let streams = [one, (one + 1 + other) % 8].map(|stream| format!("s{stream}"));
        let end = match roll(5) {
            0 => End::Die,
            1 => End::RollBack,
            _ => End::Commit,
        };
        let stall = Duration::from_millis(roll(4)).as_secs_f64();
        let append = if roll(2) == 0 { JUDGED } else { UNDISPUTED };
        if append_one(place, &mut connection, append, &id, &streams, stall, end).await {
            committed.push(id);
        }
    }
    committed
}

/// Whether it is committed.
async fn append_one(
    place: &Migrated,
    connection: &mut PgConnection,
    append: &'static str,
    id: &str,
    streams: &[String; 2],
    stall: f64,
    end: End,
) -> bool {
    let metadata = serde_json::json!({
        "command_id": id, "actor": "a tester", "correlation_id": id, "occurred_at": "2010-12-01T08:26:00Z",
    });
    let mut transaction = connection.begin().await.unwrap();
    let [one, other] = streams;
    let append = sqlx::query(append).bind(one).bind(other).bind(id).bind(metadata.to_string());
    append.execute(&mut *transaction).await.expect("an append waits for its turn");
    sqlx::query(STALL).bind(stall).execute(&mut *transaction).await.unwrap();
    match end {
        End::Commit => {
            transaction.commit().await.unwrap();
            true
        }
        End::RollBack => {
            transaction.rollback().await.unwrap();
            false
        }
        End::Die => {
            let pid: i32 = sqlx::query_scalar(PID).fetch_one(&mut *transaction).await.unwrap();
            let mut killer = place.connection().await;
            sqlx::query(KILL).bind(pid).execute(&mut killer).await.unwrap();
            assert!(transaction.commit().await.is_err());
            *connection = place.connection().await;
            false
        }
    }
}

/// Reads on and on until the writers are done; answers the command of each position.
async fn follow(log: &dyn EventLog, done: &AtomicBool) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    loop {
        let last = done.load(Ordering::SeqCst);
        for event in log.read_all(seen.len() as u64, 1_000).await.unwrap() {
            assert_eq!(event.position, seen.len() as u64 + 1, "a position was passed over");
            seen.push(event.metadata.command_id.to_string());
        }
        // Each transaction has two events, next to each other, and a page of even length ends with a whole one.
        for pair in seen.chunks(2) {
            assert!(matches!(pair, [one, other] if one == other), "torn: {pair:?}");
        }
        if last {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_beside_late_commits_rollbacks_and_kills_sees_exactly_1_to_n() {
    let Some(place) = place() else { return };
    let log = Arc::new(place.active().await);
    let done = Arc::new(AtomicBool::new(false));
    let following = {
        let (log, done) = (Arc::clone(&log), Arc::clone(&done));
        tokio::spawn(async move { follow(&*log, &done).await })
    };
    let committed = join_all((0..CONNECTIONS).map(|writer| write(&place, writer))).await;
    done.store(true, Ordering::SeqCst);
    let seen = following.await.unwrap();
    let committed: BTreeSet<String> = committed.into_iter().flatten().collect();
    assert!(committed.len() as u64 > CONNECTIONS, "hardly anything was committed");
    assert_eq!(seen.len(), committed.len() * 2);
    assert_eq!(seen.into_iter().collect::<BTreeSet<String>>(), committed);
}

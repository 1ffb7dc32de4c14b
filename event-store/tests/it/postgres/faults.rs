//! Connections that break or fall silent, in the middle of an append above all.

use std::sync::Arc;
use std::time::Duration;

use event_store::postgres::PostgresLog;
use event_store::{AppendTransaction, EventLog, NoAppends, Verdict};
use sqlx::PgConnection;
use storage::postgres::PostgresSettings;
use test_servers::{Forwards, Postgres, Proxy};
use tokio::time::timeout;

use super::{Migrated, PATIENCE, commands_of_dense_log, place, writes};

const LOCK: &str = "SELECT token FROM log_writer FOR UPDATE";
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";
const KILL_WAITING: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";
const KILL_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

const CALL_TIMEOUT: Duration = Duration::from_millis(700);

/// A log behind a proxy, with little patience.
async fn behind(proxy: &Proxy, place: &Migrated) -> PostgresLog {
    PostgresLog::migrate(&place.0.url(), None).await.unwrap();
    let url = proxy.url(&place.0.url(), place.0.port());
    let settings = PostgresSettings::new(&url, "a test").unwrap().call_timeout(CALL_TIMEOUT);
    let clock = Arc::new(|| chrono::DateTime::UNIX_EPOCH);
    let log = PostgresLog::open_with(settings, clock).await.unwrap();
    log.take_over().await.unwrap();
    log
}

async fn send_until_answered(log: &PostgresLog, command: &AppendTransaction) -> Verdict {
    let resent = async {
        loop {
            if let Ok(mut verdicts) = log.append(vec![command.clone()]).await {
                return verdicts.remove(0);
            }
        }
    };
    timeout(PATIENCE, resent).await.unwrap()
}

async fn until_waiting(connection: &mut PgConnection) {
    let waits = async {
        while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut *connection).await.unwrap() == 0
        {
        }
    };
    timeout(PATIENCE, waits).await.unwrap();
}

#[tokio::test]
async fn an_append_killed_before_its_commit_fails_and_is_committed_when_sent_again() {
    let Some(place) = place() else { return };
    let log = Arc::new(place.active().await);
    let (mut blocking, mut watching) = (place.connection().await, place.connection().await);
    let mut lock = sqlx::Connection::begin(&mut blocking).await.unwrap();
    sqlx::query(LOCK).execute(&mut *lock).await.unwrap();
    let appending = Arc::clone(&log);
    let append =
        tokio::spawn(async move { appending.append(vec![writes("1", &["a", "b"])]).await });
    until_waiting(&mut watching).await;
    sqlx::query(KILL_WAITING).execute(&mut watching).await.unwrap();
    assert!(append.await.unwrap().is_err());
    lock.rollback().await.unwrap();
    let verdict = send_until_answered(&log, &writes("1", &["a", "b"])).await;
    assert_eq!(verdict, Verdict::Committed { position: 2, version: 1 });
    assert_eq!(commands_of_dense_log(&*log).await, ["1", "1"]);
}

#[tokio::test]
async fn an_append_whose_answer_was_lost_is_answered_when_sent_again_and_has_one_effect() {
    let Some(place) = place() else { return };
    let proxy = Proxy::to(place.0.port()).unwrap();
    let log = behind(&proxy, &place).await;
    // The call is prepared already, so that it is one message.
    log.append(vec![writes("0", &["a"])]).await.unwrap();
    proxy.set(Forwards::Requests);
    assert!(log.append(vec![writes("1", &["a", "b"])]).await.is_err());
    proxy.set(Forwards::Everything);
    let verdict = send_until_answered(&log, &writes("1", &["a", "b"])).await;
    let Verdict::AlreadyApplied(answer) = verdict else { panic!("{verdict:?}") };
    assert_eq!((answer.version, answer.position), (2, 3));
    assert_eq!(commands_of_dense_log(&log).await, ["0", "1", "1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_sent_again_while_connections_are_killed_have_one_effect_each() {
    const COMMANDS: usize = 200;
    let Some(place) = place() else { return };
    let log = Arc::new(place.active().await);
    let mut killing = place.connection().await;
    let appending = Arc::clone(&log);
    let mut appends = tokio::spawn(async move {
        let mut already = 0;
        for command in 0..COMMANDS {
            let command = writes(&command.to_string(), &["a", "b"]);
            match send_until_answered(&appending, &command).await {
                Verdict::Committed { .. } => {}
                Verdict::AlreadyApplied(_) => already += 1,
                verdict => panic!("{verdict:?}"),
            }
        }
        already
    });
    let mut kills = 0;
    while !appends.is_finished() {
        kills += sqlx::query(KILL_ALL).fetch_all(&mut killing).await.unwrap().len();
        // Between two kills some appends get through.
        let mut head = log.head();
        tokio::select! {
            _ = head.changed() => {}
            _ = &mut appends => break,
        }
    }
    assert!(kills > 0, "nothing was killed");
    let expected: Vec<String> =
        (0..COMMANDS).flat_map(|command| [command.to_string(), command.to_string()]).collect();
    assert_eq!(commands_of_dense_log(&place.active().await).await, expected);
}

#[tokio::test]
async fn a_connection_that_fell_silent_ends_in_a_timeout_and_the_log_recovers() {
    let Some(place) = place() else { return };
    let proxy = Proxy::to(place.0.port()).unwrap();
    let log = behind(&proxy, &place).await;
    log.append(vec![writes("0", &["a"])]).await.unwrap();
    log.read_all(0, 9).await.unwrap();
    proxy.set(Forwards::Nothing);
    for _ in 0..3 {
        let both = futures::future::join(log.append(vec![writes("1", &["a"])]), log.read_all(0, 9));
        let (appended, read) = timeout(CALL_TIMEOUT * 3, both).await.unwrap();
        assert!(appended.is_err() && read.is_err());
    }
    proxy.set(Forwards::Everything);
    let verdict = send_until_answered(&log, &writes("1", &["a"])).await;
    assert_eq!(verdict, Verdict::Committed { position: 2, version: 2 });
    assert_eq!(log.read_all(0, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn whether_appends_are_answered_is_told_by_them_and_not_by_a_server_that_answers_others() {
    let Some(place) = place() else { return };
    let log = Arc::new(place.active().await);
    let (mut blocking, mut watching) = (place.connection().await, place.connection().await);
    log.takes_appends().await.unwrap();
    let mut lock = sqlx::Connection::begin(&mut blocking).await.unwrap();
    sqlx::query(LOCK).execute(&mut *lock).await.unwrap();
    // As long as there is none, nothing is wrong; and one that has just begun may still be answered.
    log.takes_appends().await.unwrap();
    let appending = Arc::clone(&log);
    let append = tokio::spawn(async move { appending.append(vec![writes("1", &["a"])]).await });
    until_waiting(&mut watching).await;
    until_it_says(&log, |said| matches!(said, Err(NoAppends::Silent(_)))).await;
    log.read_all(0, 9).await.unwrap();

    sqlx::query(KILL_WAITING).execute(&mut watching).await.unwrap();
    assert!(append.await.unwrap().is_err());
    assert!(matches!(log.takes_appends().await, Err(NoAppends::Fail(_))));
    // Later what appends need is asked for, and nobody has to append for that.
    until_it_says(&log, |said| matches!(said, Err(NoAppends::WouldFail(_)))).await;
    lock.rollback().await.unwrap();
    until_it_says(&log, Result::is_ok).await;

    assert!(log.append(vec![writes("1", &["a"])]).await.is_ok());
    log.takes_appends().await.unwrap();
}

async fn until_it_says(log: &PostgresLog, expected: fn(&Result<(), NoAppends>) -> bool) {
    let says = async { while !expected(&log.takes_appends().await) {} };
    timeout(PATIENCE, says).await.unwrap();
}

#[tokio::test]
async fn a_listener_that_was_cut_off_hears_again() {
    let Some(place) = place() else { return };
    let proxy = Proxy::to(place.0.port()).unwrap();
    let log = behind(&proxy, &place).await;
    let other = place.active().await;
    let mut head = log.head();
    for round in 1..=3 {
        send_until_answered(&other, &writes(&round.to_string(), &["a"])).await;
        timeout(PATIENCE, head.wait_for(|&head| head == round)).await.unwrap().unwrap();
        sqlx::query(KILL_ALL).execute(&mut place.connection().await).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_server_was_killed_nothing_acknowledged_is_lost_and_appends_go_on() {
    const COMMANDS: usize = 60;
    let mut server = match Postgres::start() {
        Ok(server) => server,
        Err(missing) => return test_servers::skipped(&missing),
    };
    server.execute(&["CREATE DATABASE log"]).unwrap();
    PostgresLog::migrate(&server.url("log"), None).await.unwrap();
    let log = Arc::new(PostgresLog::open(&server.url("log")).await.unwrap());
    log.take_over().await.unwrap();
    let appending = Arc::clone(&log);
    let appends = tokio::spawn(async move {
        for command in 0..COMMANDS {
            send_until_answered(&appending, &writes(&command.to_string(), &["a"])).await;
        }
    });
    for killed_at in [15, 30] {
        let mut head = log.head();
        timeout(PATIENCE, head.wait_for(|&head| head >= killed_at)).await.unwrap().unwrap();
        tokio::task::block_in_place(|| server.kill()).unwrap();
        assert!(timeout(PATIENCE, log.read_all(0, 9)).await.unwrap().is_err());
        tokio::task::block_in_place(|| server.start_again()).unwrap();
    }
    timeout(PATIENCE, appends).await.unwrap().unwrap();
    let expected: Vec<String> = (0..COMMANDS).map(|command| command.to_string()).collect();
    assert_eq!(commands_of_dense_log(&*log).await, expected);
}

//! What a store promises, on both dialects.

use std::time::Duration;

use storage::postgres::PostgresSettings;
use storage::{BulkStatement, Connection, Durability, Location, Sql, Store, one_of};

use crate::home::{Home, on_both};

static INSERT: BulkStatement =
    BulkStatement::new("INSERT INTO things (a, b)", 2, "ON CONFLICT (a) DO NOTHING");
const COUNT: &str = "SELECT count(*) FROM things";
const SOME: Sql = one_of!("SELECT a, b FROM things WHERE b", "$1", "AND a < $2 ORDER BY a");

on_both! {
    values_come_back_as_they_were_bound,
    a_row_s_values_are_written_alike,
    any_number_of_rows_is_written,
    rows_are_found_by_a_list_of_texts,
    a_transaction_is_whole_or_not_at_all,
    a_snapshot_shows_one_moment,
    rows_that_nobody_takes_leave_a_connection_that_works,
    a_statement_that_fails_spoils_nothing_after_it,
}

async fn count(connection: &mut Connection) -> i64 {
    connection.query(COUNT).scalar().await.unwrap()
}

async fn fill(store: &Store, rows: i64) -> u64 {
    let rows: Vec<i64> = (1..=rows).collect();
    let mut connection = store.writer().await.unwrap();
    let written =
        INSERT.write(&mut connection, &rows, |query, row| query.bind(*row).bind(row.to_string()));
    written.await.unwrap()
}

async fn values_come_back_as_they_were_bound(home: Home) {
    let store = home.open().await;
    let mut connection = store.writer().await.unwrap();
    let insert = "INSERT INTO things (a, b, c) VALUES ($1, $2, $3)";
    let bytes: &[u8] = &[0, 1, 255];
    let one = connection.query(insert).bind(i64::MIN).bind("ä\u{1F600}'").bind(bytes);
    assert_eq!(one.execute().await.unwrap(), 1);
    let none = connection.query(insert).bind(7_i64).bind(None::<&str>).bind(None::<&[u8]>);
    none.execute().await.unwrap();
    let rows = connection.query("SELECT a, b, c FROM things ORDER BY a").fetch_all().await.unwrap();
    assert_eq!(rows[0].try_get::<i64, _>(0).unwrap(), i64::MIN);
    assert_eq!(rows[0].try_get::<String, _>("b").unwrap(), "ä\u{1F600}'");
    assert_eq!(rows[0].try_get::<Vec<u8>, _>("c").unwrap(), bytes);
    assert_eq!(rows[1].try_get::<Option<String>, _>(1).unwrap(), None);
    let told = connection.query("SELECT a > $1 FROM things WHERE a = 7").bind(6_i64);
    assert!(told.scalar::<bool>().await.unwrap());
    drop(connection);
    store.close().await;
}

async fn a_row_s_values_are_written_alike(home: Home) {
    let store = home.open().await;
    let mut connection = store.writer().await.unwrap();
    let insert = "INSERT INTO things (a, b, c) VALUES ($1, $2, $3)";
    let one = connection.query(insert).bind(i64::MIN).bind("7").bind(&[0_u8, 255][..]);
    one.execute().await.unwrap();
    let none = connection.query(insert).bind(7_i64).bind(None::<&str>).bind(None::<&[u8]>);
    none.execute().await.unwrap();
    let rows = connection.query("SELECT * FROM things ORDER BY a").fetch_all().await.unwrap();
    assert_eq!(rows[0].columns(), ["a", "b", "c"]);
    let written =
        |row: usize, column| rows[row].written(column).unwrap().map(std::borrow::Cow::into_owned);
    assert_eq!(written(0, 0), Some(i64::MIN.to_string()));
    assert_eq!((written(0, 1), written(1, 1)), (Some("7".to_owned()), None));
    assert!(rows[0].written(2).is_err(), "bytes are neither a text nor an integer");
    drop(connection);
    store.close().await;
}

async fn any_number_of_rows_is_written(home: Home) {
    let store = home.open().await;
    assert_eq!(fill(&store, 617).await, 617);
    assert_eq!(fill(&store, 620).await, 3, "those that are there are passed over");
    let sum = "SELECT count(*) FROM things WHERE CAST(a AS TEXT) = b";
    let mut reader = store.reader().await.unwrap();
    assert_eq!(reader.query(sum).scalar::<i64>().await.unwrap(), 620);
}

async fn rows_are_found_by_a_list_of_texts(home: Home) {
    let store = home.open().await;
    fill(&store, 20).await;
    let mut reader = store.reader().await.unwrap();
    let found = reader.query(SOME).bind_texts(&["19", "3", "x'", "5"]).bind(10_i64);
    assert_eq!(found.scalars::<i64>().await.unwrap(), [3, 5]);
    let found = reader.query(SOME).bind_texts(&[]).bind(10_i64);
    assert!(found.fetch_all().await.unwrap().is_empty());
}

async fn a_transaction_is_whole_or_not_at_all(home: Home) {
    let store = home.open().await;
    let mut given_up = store.begin().await.unwrap();
    given_up.query("INSERT INTO things (a) VALUES (1)").execute().await.unwrap();
    drop(given_up);
    let mut kept = store.begin().await.unwrap();
    kept.query("INSERT INTO things (a) VALUES (1)").execute().await.unwrap();
    kept.query("INSERT INTO things (a) VALUES (2)").execute().await.unwrap();
    let mut reader = store.reader().await.unwrap();
    assert_eq!(count(&mut reader).await, 0);
    kept.commit().await.unwrap();
    assert_eq!(count(&mut reader).await, 2);
}

async fn a_snapshot_shows_one_moment(home: Home) {
    let store = home.open().await;
    fill(&store, 3).await;
    let mut snapshot = store.snapshot().await.unwrap();
    assert_eq!(count(&mut snapshot).await, 3);
    fill(&store, 5).await;
    assert_eq!(count(&mut snapshot).await, 3);
    drop(snapshot);
    let mut later = store.snapshot().await.unwrap();
    assert_eq!(count(&mut later).await, 5);
}

async fn rows_that_nobody_takes_leave_a_connection_that_works(home: Home) {
    use futures::TryStreamExt as _;
    let store = home.open().await;
    fill(&store, 5_000).await;
    let mut snapshot = store.snapshot().await.unwrap();
    let mut rows = snapshot.query("SELECT a FROM things ORDER BY a").fetch();
    let first = rows.try_next().await.unwrap().unwrap();
    assert_eq!(first.try_get::<i64, _>(0).unwrap(), 1);
    drop(rows);
    assert_eq!(count(&mut snapshot).await, 5_000);
}

/// Of a SQLite file there is one owner.
#[tokio::test]
async fn two_that_start_at_once_migrate_once() {
    let Some(home) = Home::postgres() else { return };
    let (one, other) = tokio::join!(home.open(), home.open());
    fill(&one, 2).await;
    assert_eq!(count(&mut other.reader().await.unwrap()).await, 2);
}

async fn a_statement_that_fails_spoils_nothing_after_it(home: Home) {
    let store = home.open().await;
    for _ in 0..10 {
        let mut writer = store.begin().await.unwrap();
        let wrong = writer.query("INSERT INTO things (a) VALUES (1), (1)").execute().await;
        assert!(matches!(wrong, Err(sqlx::Error::Database(_))), "{wrong:?}");
    }
    assert_eq!(fill(&store, 1).await, 1);
}

#[tokio::test]
async fn a_server_that_stops_answering_costs_a_calls_time_and_no_more() {
    let Ok(server) = test_servers::Postgres::start() else { return };
    let settings = PostgresSettings::new(&server.url("postgres"), "test").unwrap();
    let settings = settings.call_timeout(Duration::from_millis(300));
    let location = Location::postgres(settings, "things");
    let store = Store::open(&location, Durability::Full, 1).await.unwrap();
    let mut connection = store.reader().await.unwrap();
    let late = connection.query("SELECT pg_sleep(30), 1::bigint").fetch_all().await;
    assert!(late.is_err());
    drop(connection);
    let again = store.reader().await.unwrap().query("SELECT 1::bigint").scalar::<i64>().await;
    assert_eq!(again.unwrap(), 1);
}

#[tokio::test]
async fn a_name_of_a_schema_can_not_be_a_statement() {
    let settings = PostgresSettings::new("postgres://nobody@127.0.0.1:1/none", "test").unwrap();
    let location = Location::postgres(settings, "a; DROP TABLE b");
    let opened = Store::open(&location, Durability::Full, 1).await;
    assert!(matches!(opened.err(), Some(sqlx::Error::Configuration(_))));
}

#[tokio::test]
async fn a_schema_is_given_to_a_role_by_several_at_once() {
    const SEVERAL: usize = 4;
    let Some(home) = Home::postgres() else { return };
    for _ in 0..10 {
        let mut giving = tokio::task::JoinSet::new();
        for _ in 0..SEVERAL {
            let location = home.location.clone();
            giving.spawn(async move { location.make_for("postgres").await });
        }
        for given in giving.join_all().await {
            given.unwrap();
        }
    }
}

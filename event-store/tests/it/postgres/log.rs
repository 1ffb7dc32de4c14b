//! The conformance suite, and how a log is opened.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_store::EventLog;
use event_store::postgres::PostgresLog;
use futures::future::join_all;
use storage::postgres::PostgresSettings;
use tokio::time::timeout;

use super::{Migrated, PATIENCE, place, writes};

async fn open() -> Option<(Arc<dyn EventLog>, Migrated)> {
    let place = place()?;
    Some((Arc::new(place.active().await), place))
}

event_store::conformance_suite!(open);
event_store::durable_conformance_suite!(place);

#[tokio::test]
async fn of_many_migrators_at_once_each_finds_the_same_log() {
    let Some(place) = place() else { return };
    let url = place.0.url();
    for migrated in join_all((0..8).map(|_| PostgresLog::migrate(&url, None))).await {
        migrated.unwrap();
    }
    let logs = join_all((0..2).map(|_| PostgresLog::open(&url))).await;
    let names: Vec<_> = logs.into_iter().map(|log| log.unwrap().identity()).collect();
    assert_eq!(names[0], names[1]);
}

#[tokio::test]
async fn the_clock_that_was_given_labels_the_events() {
    let Some(place) = place() else { return };
    PostgresLog::migrate(&place.0.url(), None).await.unwrap();
    let now: DateTime<Utc> = "2010-12-01T08:26:00.123456Z".parse().unwrap();
    let settings = PostgresSettings::new(&place.0.url(), "a test").unwrap();
    let log = PostgresLog::open_with(settings, Arc::new(move || now)).await.unwrap();
    log.take_over().await.unwrap();
    log.append(vec![writes("1", &["a"])]).await.unwrap();
    assert_eq!(log.read_all(0, 1).await.unwrap()[0].recorded_at, now);
}

#[tokio::test]
async fn another_process_hears_of_an_append_and_of_a_new_epoch() {
    let Some(place) = place() else { return };
    let (active, standby) = (place.active().await, place.standby().await);
    let mut head = standby.head();
    active.append(vec![writes("1", &["a", "b"])]).await.unwrap();
    timeout(PATIENCE, head.wait_for(|&head| head == 2)).await.unwrap().unwrap();
    assert_eq!(active.raise_epoch().await.unwrap().epoch, 2);
    let new_epoch = async {
        while standby.identity().epoch == 1 {
            head.changed().await.unwrap();
        }
    };
    timeout(PATIENCE, new_epoch).await.unwrap();
    assert_eq!(standby.identity(), active.identity());
    assert_eq!(*head.borrow(), 2);
}

#[tokio::test]
async fn a_closed_log_fails_and_opens_again() {
    let Some(place) = place() else { return };
    let log = place.active().await;
    log.append(vec![writes("1", &["a"])]).await.unwrap();
    log.close().await;
    assert!(log.append(vec![writes("2", &["a"])]).await.is_err());
    assert!(log.read_all(0, 1).await.is_err());
    place.active().await.append(vec![writes("2", &["a"])]).await.unwrap();
}

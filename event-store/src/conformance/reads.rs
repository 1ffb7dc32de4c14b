//! Reading the log: whole, in order, and without missing anything.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{TimeZone as _, Utc};
use futures::future::join3;
use futures::{StreamExt as _, TryStreamExt as _};

use super::fixtures::{append, command, everything, fill};
use crate::contract::EventLog;
use crate::types::{AppendTransaction, Metadata, NewEvent, RecordedEvent};

/// Nothing was, nothing is read.
pub async fn an_empty_log_has_no_events(log: &dyn EventLog) {
    assert_eq!(*log.head().borrow(), 0);
    assert_eq!(everything(log).await, []);
    assert_eq!(log.read_stream(&"a".into(), 0, 9).await.unwrap(), []);
    assert_eq!(log.open_intents().await.unwrap(), []);
}

/// Payload and metadata are kept to the byte and the nanosecond; ids are drawn, all different.
pub async fn an_event_comes_back_as_it_was_appended(log: &dyn EventLog) {
    let metadata = Arc::new(Metadata {
        command_id: "shop/order \"7\"".into(),
        actor: "Zoë 🦀".into(),
        correlation_id: "first".into(),
        causation_id: Some("before".into()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        occurred_at: Utc.timestamp_opt(1_291_190_400, 123_456_789).unwrap(),
    });
    let event = |stream: &str, payload: &str| NewEvent {
        stream: stream.into(),
        event_type: "OrderPlaced".into(),
        schema_version: 3,
        payload: payload.into(),
    };
    let events = vec![event("order-ü'\"", r#"{ "é" : [1, 2.50] }"#), event("b", "null")];
    let transaction = AppendTransaction {
        metadata: Arc::clone(&metadata),
        events: events.clone(),
        ..command("1").build()
    };
    log.append(vec![transaction]).await.unwrap();
    let recorded = everything(log).await;
    assert_eq!(recorded.len(), 2);
    for ((event, recorded), position) in events.into_iter().zip(&recorded).zip(1..) {
        let expected = RecordedEvent {
            position,
            stream: event.stream,
            version: 1,
            id: recorded.id,
            event_type: event.event_type,
            schema_version: event.schema_version,
            payload: event.payload,
            metadata: Arc::clone(&metadata),
            recorded_at: recorded.recorded_at,
        };
        assert_eq!(*recorded, expected);
        assert_eq!(recorded.id.get_version_num(), 7);
    }
    assert_ne!(recorded[0].id, recorded[1].id);
}

/// Each event stands beside the metadata of its own transaction.
pub async fn events_of_one_transaction_share_their_metadata(log: &dyn EventLog) {
    let batch = ["1", "2", "3"].map(|id| command(id).writes("a", "Written").writes("b", "Written"));
    append(log, batch).await;
    let ids: Vec<String> =
        everything(log).await.iter().map(|event| event.metadata.command_id.to_string()).collect();
    assert_eq!(ids, ["1", "1", "2", "2", "3", "3"]);
}

/// A page begins right after the position asked for and has no hole.
pub async fn the_log_is_contiguous_from_any_position_and_limit(log: &dyn EventLog) {
    fill(log, "a", 7).await;
    fill(log, "b", 6).await;
    let all = everything(log).await;
    assert!(all.iter().map(|event| event.position).eq(1..=13));
    for after in 0..=15 {
        for limit in 0..=15 {
            let page = log.read_all(after, limit).await.unwrap();
            let from = usize::try_from(after).unwrap().min(all.len());
            assert_eq!(page, all[from..(from + limit).min(all.len())], "{limit} after {after}");
        }
    }
    assert_eq!(log.read_all(u64::MAX, usize::MAX).await.unwrap(), []);
}

/// Also over many pages, from anywhere to anywhere, and beyond the end.
pub async fn reading_on_gives_every_event_once_in_order(log: &dyn EventLog) {
    assert_eq!(read_on(log, 0, 9).await, []);
    fill(log, "a", 2_500).await;
    fill(log, "b", 7).await;
    let all = everything(log).await;
    for (after, to) in [(0, 2_507), (0, 9_999), (3, 1_003), (999, 2_001), (2_506, 2_507)] {
        let from = usize::try_from(after).unwrap();
        let until = usize::try_from(to).unwrap().min(all.len());
        assert!(read_on(log, after, to).await == all[from..until], "{after} to {to}");
    }
    for (after, to) in [(0, 0), (7, 3), (2_507, 9_999), (9_999, 99_999), (u64::MAX - 1, u64::MAX)] {
        assert_eq!(read_on(log, after, to).await, [], "{after} to {to}");
    }
    let mut left = log.read_on(0, 2_507);
    assert!(left.next().await.unwrap().is_ok());
    drop(left);
    assert_eq!(everything(log).await.len(), all.len(), "who stops in the middle leaves no trace");
}

async fn read_on(log: &dyn EventLog, after: u64, to: u64) -> Vec<RecordedEvent> {
    let pages: Vec<Vec<_>> = log.read_on(after, to).try_collect().await.unwrap();
    assert!(pages.iter().all(|page| !page.is_empty()));
    pages.concat()
}

/// Numbers, separators and signs of several bytes are texts like any other.
pub async fn texts_come_back_whatever_is_in_them(log: &dyn EventLog) {
    let odd = ["", " ", "7 8 9", "\u{1f}\n\t\r", "ü🦀", "a'b\"c\\d", "%s || $1", "x, y"];
    for (number, stream) in odd.iter().enumerate() {
        for (place, text) in odd.iter().enumerate() {
            let id = format!("{number}/{place}");
            append(log, [command(&id).writes(stream, text)]).await;
        }
    }
    let recorded = everything(log).await;
    assert_eq!(recorded.len(), odd.len() * odd.len());
    let expected = odd.iter().flat_map(|stream| odd.map(|text| (*stream, text)));
    let read = recorded.iter().map(|event| (&*event.stream, &*event.event_type));
    assert!(read.eq(expected), "{recorded:?}");
    let stream = log.read_stream(&odd[4].into(), 2, 3).await.unwrap();
    assert_eq!(stream, recorded[4 * odd.len() + 2..4 * odd.len() + 5]);
}

/// The same for one stream, whatever stands between its events.
pub async fn a_stream_is_read_from_any_version_and_limit(log: &dyn EventLog) {
    for n in 0..6 {
        let id = n.to_string();
        append(log, [command(&id).writes("a", &format!("A{n}")).writes("b", "Other")]).await;
    }
    for (after, limit) in [(0, 9), (0, 2), (2, 2), (5, 9), (6, 9), (9, 9), (3, 0)] {
        let page = log.read_stream(&"a".into(), after, limit).await.unwrap();
        let until = (after + limit as u64).min(6);
        assert!(page.iter().map(|event| event.version).eq(after + 1..=until), "{page:?}");
        assert!(page.iter().all(|event| *event.event_type == format!("A{}", event.version - 1)));
    }
}

/// Every watcher is woken by an append, and finds the events there.
pub async fn the_head_wakes_its_watchers(log: &dyn EventLog) {
    let mut head = log.head();
    assert!(!head.has_changed().unwrap());
    let waiting = async {
        head.changed().await.unwrap();
        let position = *head.borrow_and_update();
        (position, log.read_all(0, 9).await.unwrap().len())
    };
    let appending = async {
        append(log, [command("1").writes("a", "Written").writes("a", "Written")]).await;
    };
    let (seen, ()) = futures::join!(waiting, appending);
    assert_eq!(seen, (2, 2));
    assert_eq!(*log.head().borrow(), 2, "who comes later sees it too");
}

/// Nobody is woken for nothing.
pub async fn a_batch_without_events_does_not_move_the_head(log: &dyn EventLog) {
    fill(log, "a", 2).await;
    let head = log.head();
    append(log, [command("1").saw("a", 2), command("2").saw("a", 1).writes("a", "Lost")]).await;
    assert!(!head.has_changed().unwrap());
    assert_eq!(*head.borrow(), 2);
}

/// A reader that follows the head in small steps sees every event once and in order, though two writers commit all the
/// time.
pub async fn a_slow_reader_misses_no_event_while_writers_commit(log: &dyn EventLog) {
    const EACH: u64 = 40;
    let writer = |name: &'static str| async move {
        for n in 0..EACH {
            let id = format!("{name}-{n}");
            append(log, [command(&id).saw(name, n).writes(name, "Written")]).await;
            tokio::task::yield_now().await;
        }
    };
    let reader = async {
        let mut head = log.head();
        let mut seen: Vec<RecordedEvent> = Vec::new();
        while seen.len() < 2 * usize::try_from(EACH).unwrap() {
            let after = seen.last().map_or(0, |event| event.position);
            let page = log.read_all(after, 3).await.unwrap();
            if page.is_empty() {
                head.wait_for(|head| *head > after).await.unwrap();
            }
            seen.extend(page);
        }
        seen
    };
    let ((), (), seen) = join3(writer("a"), writer("b"), reader).await;
    assert!(seen.iter().map(|event| event.position).eq(1..=2 * EACH));
    assert_eq!(seen.iter().map(|event| event.id).collect::<HashSet<_>>().len(), seen.len());
}

//! What a feed promises.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use event_store::{
    AppendTransaction, EventLog, Metadata, NewEvent, Position, RecordedEvent, StreamId, Verdict,
};
use futures::FutureExt;

use crate::feed::{Feed, FeedError, Place, Subscription};

/// Longer than anything here takes: a case that waits for ever fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// A feed, and the log that it tells of.
pub struct FeedUnderTest {
    /// The feed.
    pub feed: Arc<dyn Feed>,
    /// Where events are appended.
    pub log: Arc<dyn EventLog>,
    /// Whatever has to live as long, such as a folder.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl FeedUnderTest {
    /// Appends one event to a stream of `writer`.
    pub async fn append(&self, writer: &str, number: u64) -> Position {
        append(&self.log, writer, number).await
    }

    async fn append_many(&self, events: u64) {
        let batch = (0..events).map(|number| transaction("writer", number)).collect();
        self.log.append(batch).await.unwrap();
    }

    async fn subscribe(&self, after: Position) -> Box<dyn Subscription> {
        self.feed.subscribe(after).await.unwrap()
    }
}

async fn append(log: &Arc<dyn EventLog>, writer: &str, number: u64) -> Position {
    let verdicts = log.append(vec![transaction(writer, number)]).await.unwrap();
    match verdicts.as_slice() {
        [Verdict::Committed { position, .. }] => *position,
        other => panic!("{other:?}"),
    }
}

/// A stream per event: so no writer ever conflicts.
fn transaction(writer: &str, number: u64) -> AppendTransaction {
    let stream: StreamId = format!("{writer}-{number}").into();
    let command_id: Arc<str> = format!("command-{writer}-{number}").into();
    AppendTransaction {
        command_id: Arc::clone(&command_id),
        request_hash: [0; 32],
        reads: vec![(Arc::clone(&stream), 0)],
        events: vec![NewEvent {
            stream,
            event_type: "Happened".into(),
            schema_version: 1,
            payload: format!("{{\"number\":{number}}}"),
        }],
        metadata: Arc::new(Metadata {
            correlation_id: Arc::clone(&command_id),
            command_id,
            actor: "test".into(),
            causation_id: None,
            traceparent: None,
            occurred_at: DateTime::UNIX_EPOCH,
        }),
        answer: None,
        intents: Vec::new(),
    }
}

async fn take(subscription: &mut Box<dyn Subscription>, events: usize) -> Vec<RecordedEvent> {
    let mut taken = Vec::new();
    while taken.len() < events {
        let page = tokio::time::timeout(PATIENCE, subscription.next(7)).await.unwrap().unwrap();
        assert!((1..=7).contains(&page.len()), "a page of {} events", page.len());
        taken.extend_from_slice(&page);
    }
    taken
}

fn positions(events: &[RecordedEvent]) -> Vec<Position> {
    events.iter().map(|event| event.position).collect()
}

/// From any start, every later position comes exactly once and in order.
pub async fn every_position_comes_once_in_order_from_any_start(t: FeedUnderTest) {
    t.append_many(40).await;
    for after in [0, 1, 6, 7, 39] {
        let mut subscription = t.subscribe(after).await;
        let events = take(&mut subscription, usize::try_from(40 - after).unwrap()).await;
        assert_eq!(positions(&events), (after + 1..=40).collect::<Vec<_>>());
    }
}

/// A subscription gives what the log has, byte for byte.
pub async fn events_come_as_they_were_appended(t: FeedUnderTest) {
    t.append_many(9).await;
    let mut subscription = t.subscribe(0).await;
    assert_eq!(take(&mut subscription, 9).await, t.log.read_all(0, 9).await.unwrap());
}

/// At the head a subscription waits, and wakes when something is appended.
pub async fn a_subscription_waits_at_the_head_and_wakes(t: FeedUnderTest) {
    t.append("writer", 0).await;
    let mut subscription = t.subscribe(1).await;
    {
        let mut waiting = subscription.next(7);
        assert!((&mut waiting).now_or_never().is_none(), "there is nothing after the head");
        t.append("writer", 1).await;
        let page = tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
        assert_eq!(positions(&page), [2]);
    }
    t.append("writer", 2).await;
    assert_eq!(positions(&take(&mut subscription, 1).await), [3]);
}

/// A `next` that is given up in the middle loses nothing.
pub async fn a_cancelled_next_loses_nothing(t: FeedUnderTest) {
    t.append_many(30).await;
    let mut subscription = t.subscribe(0).await;
    let mut seen = Vec::new();
    while seen.len() < 30 {
        // Polled once and dropped: sometimes it is ready, sometimes it is cancelled.
        if let Some(page) = subscription.next(3).now_or_never() {
            seen.extend(positions(&page.unwrap()));
        }
        if seen.len() < 30 {
            seen.extend(positions(&take(&mut subscription, 1).await));
        }
    }
    assert_eq!(seen, (1..=30).collect::<Vec<_>>());
}

/// A slow reader misses no event while four writers append.
pub async fn no_event_is_missed_while_others_append(t: FeedUnderTest) {
    const EACH: u64 = 50;
    let mut subscription = t.subscribe(0).await;
    let writers = ["a", "b", "c", "d"].map(|writer| {
        let log = Arc::clone(&t.log);
        tokio::spawn(async move {
            for number in 0..EACH {
                append(&log, writer, number).await;
            }
        })
    });
    let events = take(&mut subscription, 200).await;
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(positions(&events), (1..=4 * EACH).collect::<Vec<_>>());
}

/// Every subscription has its own place.
pub async fn subscriptions_do_not_take_from_each_other(t: FeedUnderTest) {
    t.append_many(10).await;
    let (mut one, mut two) = (t.subscribe(0).await, t.subscribe(0).await);
    let first = take(&mut one, 10).await;
    assert_eq!(first, take(&mut two, 10).await);
}

/// A position beyond the head is of another history, and is refused rather than waited for.
pub async fn a_position_beyond_the_head_is_refused(t: FeedUnderTest) {
    t.append_many(3).await;
    let refused = t.feed.subscribe(4).await.err();
    assert!(
        matches!(refused, Some(FeedError::AnotherHistory { position: 4, head: 3 })),
        "{refused:?}"
    );
    assert!(t.feed.subscribe(3).await.is_ok());
}

/// The head rises with the log, and the feed names the log's identity.
pub async fn head_and_identity_are_the_logs(t: FeedUnderTest) {
    let mut head = t.feed.head();
    t.append_many(5).await;
    let seen = tokio::time::timeout(PATIENCE, head.wait_for(|head| *head == 5)).await;
    assert!(seen.is_ok(), "the head never rose to 5");
    assert_eq!(t.feed.identity(), t.log.identity());
}

/// History is read by position and by stream, in pages.
pub async fn history_is_read_by_position_and_by_stream(t: FeedUnderTest) {
    t.append_many(10).await;
    assert_eq!(positions(&t.feed.read_all(4, 3).await.unwrap()), [5, 6, 7]);
    assert_eq!(positions(&t.feed.read_all(10, 3).await.unwrap()), [] as [Position; 0]);
    let stream: StreamId = "writer-6".into();
    let events = t.feed.read_stream(&stream, 0, 10).await.unwrap();
    assert_eq!(positions(&events), [7]);
    assert!(t.feed.read_stream(&stream, 1, 10).await.unwrap().is_empty());
    assert!(t.feed.read_stream(&"unknown-1".into(), 0, 10).await.unwrap().is_empty());
}

/// A consumer that says which event it saw is let on only where the log has that event.
pub async fn a_place_of_another_history_is_refused(t: FeedUnderTest) {
    t.append_many(10).await;
    let events = t.log.read_all(0, 10).await.unwrap();
    let there = Place { position: 5, event_id: Some(events[4].id) };
    let mut subscription = t.feed.subscribe_from(there).await.unwrap();
    assert_eq!(positions(&take(&mut subscription, 5).await), [6, 7, 8, 9, 10]);
    let elsewhere = Place { position: 5, event_id: Some(events[5].id) };
    let refused = t.feed.subscribe_from(elsewhere).await.err();
    assert!(
        matches!(refused, Some(FeedError::AnotherHistory { position: 5, head: 10 })),
        "{refused:?}"
    );
    let beyond = Place { position: 11, event_id: Some(events[9].id) };
    let refused = t.feed.subscribe_from(beyond).await.err();
    assert!(matches!(refused, Some(FeedError::AnotherHistory { position: 11, .. })), "{refused:?}");
}

/// One `#[tokio::test]` per promise of a feed; `$open` is an async function that gives a fresh [`FeedUnderTest`], or an
/// `Option` of one: `None` when the server that it needs is not there.
#[macro_export]
macro_rules! feed_conformance_suite {
    ($open:path) => {
        $crate::feed_conformance_suite! { $open:
            every_position_comes_once_in_order_from_any_start,
            events_come_as_they_were_appended,
            a_subscription_waits_at_the_head_and_wakes,
            a_cancelled_next_loses_nothing,
            no_event_is_missed_while_others_append,
            subscriptions_do_not_take_from_each_other,
            a_position_beyond_the_head_is_refused,
            head_and_identity_are_the_logs,
            history_is_read_by_position_and_by_stream,
            a_place_of_another_history_is_refused
        }
    };
    ($open:path: $($case:ident),+) => { $(
        #[tokio::test]
        async fn $case() {
            let opened: Option<$crate::conformance::feed_cases::FeedUnderTest> =
                $crate::conformance::opened($open).await;
            if let Some(opened) = opened {
                $crate::conformance::feed_cases::$case(opened).await;
            }
        }
    )+ };
}

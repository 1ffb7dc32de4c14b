//! The stream of events is a copy of the log: sequence = position.

use std::time::Duration;

use async_nats::jetstream::Context;
use event_store::MAX_EVENT_BYTES;
use futures::{FutureExt as _, StreamExt as _};
use messaging::jetstream::{HistoryClient, SyncSetting, decode, tell_sync_setting};

use crate::platform::{Owner, Platform, client, retaining, settings};

/// Every message of the stream is the log's event of that position.
async fn is_a_copy(platform: &Platform, from: u64, to: u64) {
    let streams: Context = async_nats::jetstream::new(platform.client.clone());
    let stream = streams.get_stream("EVENTS").await.unwrap();
    for sequence in from..=to {
        let message = stream.get_raw_message(sequence).await.unwrap();
        let event = decode(&message.payload).unwrap().event;
        assert_eq!((event.position, event.id), (sequence, platform.log.id_at(sequence)));
        let context = &event.stream[..event.stream.find('-').unwrap()];
        assert_eq!(message.subject.as_str(), format!("docket.events.testlog.{context}.Happened"));
        assert!(message.headers.get("traceparent").is_some());
    }
}

#[tokio::test]
async fn a_message_stands_at_its_position_and_names_log_context_and_type() {
    let Some(platform) = Platform::start(50, settings()).await else { return };
    platform.published(50).await;
    is_a_copy(&platform, 1, 50).await;
}

#[tokio::test]
async fn where_the_server_has_little_room_the_stream_is_smaller() {
    let room = 100 * 1024 * 1024;
    let Some(nats) = test_servers::nats_with_room(room) else { return };
    let platform = Platform::start_on(nats, 50, settings()).await;
    platform.published(50).await;
    is_a_copy(&platform, 1, 50).await;
    let given = platform.info().await.unwrap().config.max_bytes;
    assert!(given > 0 && given.unsigned_abs() <= room, "{given}");
}

#[tokio::test]
async fn two_relays_at_once_publish_every_event_once() {
    let Some(platform) = Platform::start(500, settings()).await else { return };
    let other = client(&platform.nats.url()).await;
    let _second = Owner::start(&other, &platform.log, settings());
    platform.published(500).await;
    let created = platform.info().await.unwrap().created;
    for _ in 0..40 {
        platform.log.grow(50);
        tokio::task::yield_now().await;
    }
    platform.published(2_500).await;
    is_a_copy(&platform, 1, 2_500).await;
    // They kept each other out: nothing was published at a wrong place, so nothing had to be built anew.
    assert_eq!(platform.info().await.unwrap().created, created);
}

#[tokio::test]
async fn a_relay_that_starts_again_continues_after_the_streams_end() {
    let Some(mut platform) = Platform::start(100, settings()).await else { return };
    platform.published(100).await;
    platform.owner = None;
    platform.log.grow(100);
    platform.owner = Some(Owner::start(&platform.client, &platform.log, settings()));
    platform.published(200).await;
    is_a_copy(&platform, 1, 200).await;
}

#[tokio::test]
async fn the_stream_begins_where_the_retained_events_do() {
    let Some(mut platform) = Platform::start(1_000, retaining(100)).await else { return };
    platform.published(1_000).await;
    assert_eq!(platform.info().await.unwrap().state.first_sequence, 901);
    is_a_copy(&platform, 901, 1_000).await;
    // A relay that comes back after a long time does not publish what would be discarded at once.
    platform.owner = None;
    platform.log.grow(10_000);
    platform.owner = Some(Owner::start(&platform.client, &platform.log, retaining(100)));
    platform.published(11_000).await;
    is_a_copy(&platform, 10_901, 11_000).await;
}

#[tokio::test]
async fn an_event_of_the_largest_size_travels_by_stream_and_by_request() {
    let Some(platform) = Platform::start(3, settings()).await else { return };
    platform.log.grow_by_one_of(MAX_EVENT_BYTES);
    platform.log.grow_by_one_of(MAX_EVENT_BYTES);
    platform.published(5).await;
    is_a_copy(&platform, 1, 5).await;
    platform.reader().await.has_read(&platform.log, 5).await;
    let history = HistoryClient::new(platform.carrier());
    assert_eq!(history.read_all(0, 10).await.unwrap().events.len(), 5);
}

#[tokio::test]
async fn a_single_server_holds_one_copy_whatever_is_wanted() {
    let mut three = settings();
    three.events.replicas = 3;
    let Some(platform) = Platform::start(10, three).await else { return };
    platform.published(10).await;
    assert_eq!(platform.info().await.unwrap().config.num_replicas, 1);
}

#[tokio::test]
async fn settings_that_were_changed_by_hand_are_put_right() {
    let Some(platform) = Platform::start(10, settings()).await else { return };
    platform.published(10).await;
    let mut config = platform.info().await.unwrap().config;
    let kept = config.max_messages;
    config.max_messages = 20;
    async_nats::jetstream::new(platform.client.clone()).update_stream(config).await.unwrap();
    crate::platform::until("the setting is what it was", || async {
        platform.info().await.is_some_and(|info| info.config.max_messages == kept)
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_is_as_it_should_be_is_looked_at_and_left_alone() {
    let mut often = settings();
    often.look_every = Duration::from_millis(50);
    let Some(platform) = Platform::start(10, often).await else { return };
    platform.published(10).await;
    let asked = |what: &str| platform.client.subscribe(format!("$JS.API.STREAM.{what}.EVENTS"));
    let (mut looks, mut updates) = (asked("INFO").await.unwrap(), asked("UPDATE").await.unwrap());
    for _ in 0..4 {
        looks.next().await.unwrap();
    }
    assert!(updates.next().now_or_never().is_none());
}

#[tokio::test]
async fn when_the_server_writes_to_disk_is_asked_of_its_monitor() {
    let Some(nats) = test_servers::nats() else { return };
    let every = SyncSetting::Every(Duration::from_mins(2));
    assert_eq!(tell_sync_setting(&nats.monitor()).await, Some(every));
    let nobody = test_servers::free_port().unwrap();
    assert_eq!(tell_sync_setting(&format!("127.0.0.1:{nobody}")).await, None);
}

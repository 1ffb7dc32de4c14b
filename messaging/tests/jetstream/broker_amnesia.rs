//! P9: JetStream may lose, repeat, rewind or be wiped at any moment; every subscriber still sees 1..n, once, in order.

use std::sync::Arc;
use std::time::Duration;

use messaging::feed::{Feed, FeedError, Place};
use messaging::jetstream::{JetStreamFeed, Names, NatsCarrier};

use crate::platform::{Owner, Platform, client, retaining, settings, until};
use crate::reader::Reader;

#[tokio::test]
async fn p9_the_store_is_wiped_under_way() {
    let Some(mut platform) = Platform::start(300, settings()).await else { return };
    let reader = platform.reader().await;
    reader.has_read(&platform.log, 300).await;
    platform.nats.kill().unwrap();
    platform.log.grow(300);
    platform.nats.wipe().unwrap();
    platform.nats.start_again().unwrap();
    reader.has_read(&platform.log, 600).await;
    platform.log.grow(300);
    reader.has_read(&platform.log, 900).await;
    platform.reader().await.has_read(&platform.log, 900).await;
    assert!(platform.log.raised().is_empty(), "{:?}", platform.log.raised());
}

#[tokio::test]
async fn p9_the_store_is_wiped_again_and_again_while_events_come() {
    let Some(mut platform) = Platform::start(100, settings()).await else { return };
    let reader = platform.reader().await;
    for round in 1..=4 {
        for _ in 0..20 {
            platform.log.grow(10);
            tokio::task::yield_now().await;
        }
        platform.nats.kill().unwrap();
        platform.nats.wipe().unwrap();
        platform.nats.start_again().unwrap();
        reader.has_read(&platform.log, 100 + 200 * round).await;
    }
}

#[tokio::test]
async fn p9_the_stream_is_purged_and_deleted() {
    let Some(platform) = Platform::start(200, settings()).await else { return };
    let reader = platform.reader().await;
    platform.published(200).await;
    platform.stream().await.unwrap().purge().await.unwrap();
    platform.log.grow(100);
    reader.has_read(&platform.log, 300).await;
    platform.reader().await.has_read(&platform.log, 300).await;
    let streams = async_nats::jetstream::new(platform.client.clone());
    streams.delete_stream("EVENTS").await.unwrap();
    platform.log.grow(100);
    reader.has_read(&platform.log, 400).await;
    platform.reader().await.has_read(&platform.log, 400).await;
}

#[tokio::test]
async fn p9_single_messages_are_deleted_also_the_last_one_of_an_idle_stream() {
    let Some(platform) = Platform::start(20, settings()).await else { return };
    platform.published(20).await;
    let stream = platform.stream().await.unwrap();
    for sequence in [1, 2, 9, 20] {
        stream.delete_message(sequence).await.unwrap();
    }
    let reader = platform.reader().await;
    reader.has_read(&platform.log, 20).await;
    platform.log.grow(5);
    reader.has_read(&platform.log, 25).await;
    assert!(platform.log.raised().is_empty(), "a hole is no other history");
}

#[tokio::test]
async fn p9_an_old_copy_of_the_store_is_restored() {
    let Some(mut platform) = Platform::start(100, settings()).await else { return };
    let reader = platform.reader().await;
    platform.published(100).await;
    platform.nats.stop().unwrap();
    let copy = platform.nats.copy_store().unwrap();
    platform.nats.start_again().unwrap();
    platform.log.grow(150);
    reader.has_read(&platform.log, 250).await;
    platform.published(250).await;
    platform.nats.kill().unwrap();
    platform.nats.restore_store(&copy).unwrap();
    platform.nats.start_again().unwrap();
    let begun = platform.reader().await;
    platform.log.grow(50);
    reader.has_read(&platform.log, 300).await;
    begun.has_read(&platform.log, 300).await;
    platform.published(300).await;
    assert!(platform.log.raised().is_empty());
}

#[tokio::test]
async fn p9_a_stray_message_is_noticed_and_the_stream_built_anew() {
    let Some(platform) = Platform::start(50, settings()).await else { return };
    let reader = platform.reader().await;
    reader.has_read(&platform.log, 50).await;
    platform.published(50).await;
    platform.client.publish("docket.events.testlog.order.Happened", "stray".into()).await.unwrap();
    // Nobody publishes: the relay looks by itself.
    until("the stray message is gone", || async {
        platform.info().await.is_some_and(|info| info.state.last_sequence == 50)
    })
    .await;
    platform.log.grow(50);
    reader.has_read(&platform.log, 100).await;
    platform.reader().await.has_read(&platform.log, 100).await;
    // An event of ours at another place is a stray one too.
    platform.published(100).await;
    let message = platform.stream().await.unwrap().get_raw_message(7).await.unwrap();
    platform.client.publish(message.subject, message.payload).await.unwrap();
    platform.log.grow(50);
    reader.has_read(&platform.log, 150).await;
    platform.published(150).await;
    assert!(platform.log.raised().is_empty(), "the log is what it was");
}

#[tokio::test]
async fn p9_two_relays_at_once_and_a_wiped_store() {
    let Some(mut platform) = Platform::start(100, settings()).await else { return };
    let other = client(&platform.nats.url()).await;
    let _second = Owner::start(&other, &platform.log, settings());
    let reader = platform.reader().await;
    reader.has_read(&platform.log, 100).await;
    platform.nats.kill().unwrap();
    platform.nats.wipe().unwrap();
    platform.log.grow(400);
    platform.nats.start_again().unwrap();
    platform.log.grow(500);
    reader.has_read(&platform.log, 1_000).await;
    platform.reader().await.has_read(&platform.log, 1_000).await;
}

#[tokio::test]
async fn p9_the_broker_stands_still_for_a_while() {
    let Some(platform) = Platform::start(100, settings()).await else { return };
    let reader = platform.reader().await;
    reader.has_read(&platform.log, 100).await;
    platform.nats.pause().unwrap();
    platform.log.grow(200);
    platform.nats.wake().unwrap();
    reader.has_read(&platform.log, 300).await;
}

#[tokio::test]
async fn p9_what_the_stream_keeps_no_more_comes_from_the_log() {
    let Some(platform) = Platform::start(9_000, retaining(100)).await else { return };
    platform.published(9_000).await;
    let reader = platform.reader().await;
    reader.has_read(&platform.log, 9_000).await;
    platform.log.grow(10);
    reader.has_read(&platform.log, 9_010).await;
}

#[tokio::test]
async fn p9_a_database_restored_from_a_backup_is_noticed_by_the_event_id() {
    let Some(platform) = Platform::start(100, settings()).await else { return };
    let feed = Arc::new(platform.feed().await);
    let reader = Reader::start(Arc::clone(&feed) as _, Place::default()).await;
    reader.has_read(&platform.log, 100).await;
    platform.published(100).await;
    let (shared, lost) = (platform.log.id_at(60), platform.log.id_at(90));
    platform.log.restore_to(80);
    platform.log.grow(40);
    let end = reader.end().await;
    assert!(matches!(end, FeedError::AnotherHistory { position: 100, .. }), "{end:?}");
    until("the epoch is raised", || async { platform.log.raised().len() == 1 }).await;
    platform.published(120).await;
    let place = Place { position: 90, event_id: Some(lost) };
    let refused = feed.subscribe_from(place).await.err();
    assert!(matches!(refused, Some(FeedError::AnotherHistory { .. })), "{refused:?}");
    let place = Place { position: 60, event_id: Some(shared) };
    let mut subscription = feed.subscribe_from(place).await.unwrap();
    let page = tokio::time::timeout(Duration::from_secs(20), subscription.next(1)).await;
    assert_eq!(page.unwrap().unwrap()[0].position, 61);
    platform.reader().await.has_read(&platform.log, 120).await;
    assert_eq!(platform.log.raised().len(), 1, "{:?}", platform.log.raised());
}

#[tokio::test]
async fn p9_the_leader_of_three_is_killed() {
    let Some(mut cluster) = test_servers::nats_cluster(3) else { return };
    let client = client(&cluster.url()).await;
    let log = crate::log::TestLog::of(200);
    let mut settings = settings();
    settings.events.replicas = 3;
    let _owner = Owner::start(&client, &log, settings);
    let feed = JetStreamFeed::open(NatsCarrier::over(client.clone(), Names::default())).await;
    let reader = Reader::start(Arc::new(feed), Place::default()).await;
    reader.has_read(&log, 200).await;
    let streams = async_nats::jetstream::new(client.clone());
    let mut leader = None;
    until("the stream has a leader", || {
        let streams = streams.clone();
        async move { streams.get_stream("EVENTS").await.is_ok() }
    })
    .await;
    let stream = streams.get_stream("EVENTS").await.unwrap();
    if let Some(name) = stream.cached_info().cluster.as_ref().and_then(|c| c.leader.clone()) {
        leader = cluster.servers.iter().position(|server| name == server.name());
    }
    cluster.servers[leader.unwrap()].kill().unwrap();
    log.grow(300);
    reader.has_read(&log, 500).await;
}

//! The broker under separate processes: whatever it forgets, and whichever of its servers is lost.

use async_nats::jetstream::stream::Stream;
use serde_json::json;

use crate::part_of_day::PartOfDay;
use crate::services::Services;

/// Rows of the example day that are imported, with the line that names the columns.
const ROWS: usize = 700;
/// The epoch is the second part of a position: `log-epoch-position`.
const FIRST_EPOCH: &str = "1";

/// The stream; for a moment there may be none, while the relay lays it out anew.
async fn stream(services: &Services, name: &str) -> Stream {
    let streams = services.streams().await;
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
    let begun = std::time::Instant::now();
    loop {
        ticks.tick().await;
        match streams.get_stream(name).await {
            Ok(stream) => return stream,
            Err(error) => {
                assert!(begun.elapsed() < crate::platform::PATIENCE, "{name}: {error}");
            }
        }
    }
}

/// A message on the stream of events that is nobody's: the stream takes it, nobody else guards its subjects.
async fn publish_a_stray(services: &Services) {
    stream(services, "EVENTS").await;
    let streams = services.streams().await;
    let published = streams.publish("docket.events.stray.order.OrderPlaced", "stray".into());
    published.await.unwrap().await.expect("the stream takes it");
}

/// Waits until the stream of events ends where the log does: nothing is missing, and nothing strange behind it.
async fn until_it_is_a_copy(services: &Services) {
    let models = services.gateway.get("/v1/projections").await.ok();
    let head = models["items"][0]["head"].as_u64().unwrap();
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(100));
    let begun = std::time::Instant::now();
    loop {
        ticks.tick().await;
        let last = stream(services, "EVENTS").await.cached_info().state.last_sequence;
        if last == head {
            return;
        }
        assert!(
            begun.elapsed() < crate::platform::PATIENCE,
            "it ends at {last}, the log at {head}"
        );
    }
}

async fn epoch(services: &Services) -> String {
    let products = services.gateway.get("/v1/products").await;
    products.header("docket-position").split('-').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn p9_broker_amnesia_whatever_is_forgotten_during_an_import_it_ends_as_if_nothing_had_been() {
    let Some(mut services) = Services::start().await else { return };
    let part = PartOfDay::of(ROWS);
    let expected = part.undisturbed().await;
    let step = expected.events / 7;
    let importing = part.start_import(&services.gateway.url);

    services.gateway.until_head(step).await;
    services.nats.stop().unwrap();
    let old_copy = services.nats.copy_store().unwrap();
    services.nats.start_again().unwrap();

    services.gateway.until_head(2 * step).await;
    for name in ["EVENTS", "COMMANDS"] {
        stream(&services, name).await.purge().await.unwrap();
    }

    services.gateway.until_head(3 * step).await;
    let events = stream(&services, "EVENTS").await;
    let last = events.cached_info().state.last_sequence;
    for sequence in [last - 20, last - 7, last - 6, last] {
        // The last ones may be another's by now: a stream that was purged begins late.
        let _ = events.delete_message(sequence).await;
    }

    services.gateway.until_head(4 * step).await;
    publish_a_stray(&services).await;

    services.gateway.until_head(5 * step).await;
    services.nats.kill().unwrap();
    services.nats.restore_store(&old_copy).unwrap();
    services.nats.start_again().unwrap();

    services.gateway.until_head(6 * step).await;
    let under_way = !importing.is_finished();
    services.wipe_broker();
    assert!(under_way, "nothing was left to be forgotten");

    importing.await.unwrap();
    services.until_digest(&expected.digest).await;
    services.verify().await;
    assert_eq!(epoch(&services).await, FIRST_EPOCH, "the log is what it was");
    services.terminate().await;
}

#[tokio::test]
async fn p9_broker_amnesia_of_an_idle_stream_is_noticed_by_a_service_that_starts_and_by_the_relay()
{
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("cup", 5).await;
    services.gateway.settle().await;
    until_it_is_a_copy(&services).await;

    // The last message is gone, and nothing follows: who starts now has it from the log.
    let events = stream(&services, "EVENTS").await;
    let last = events.cached_info().state.last_sequence;
    events.delete_message(last).await.unwrap();
    let sagas = crate::services::Service::Sagas;
    services.stop(sagas).await;
    services.restart(sagas).await;
    let read = |saga: &serde_json::Value| saga["status"] == "ready";
    services.of(sagas).until("/health/ready", read).await;
    services.gateway.settle().await;

    // A stray message on an idle stream: the relay looks by itself.
    publish_a_stray(&services).await;
    until_it_is_a_copy(&services).await;
    let receive = json!({ "quantity": 2 });
    services.gateway.post("/v1/stock/cup/receive", "more", &receive).await.ok();
    services.gateway.until("/v1/stock/cup", |stock| stock["available"] == 7).await;
    until_it_is_a_copy(&services).await;
    assert_eq!(epoch(&services).await, FIRST_EPOCH, "the log is what it was");
    services.terminate().await;
}

#[tokio::test]
async fn p9_the_leaders_of_three_servers_are_killed_during_an_import_and_it_goes_on() {
    let Some(mut services) = Services::start_with_three_nats().await else { return };
    let part = PartOfDay::of(ROWS);
    let expected = part.undisturbed().await;
    let importing = part.start_import(&services.gateway.url);
    for (stream, nth) in [("EVENTS", 1), ("COMMANDS", 2)] {
        services.gateway.until_head(nth * expected.events / 3).await;
        assert_eq!(replicas(&services, stream).await, 3);
        let leader = services.leader_of(stream).await;
        let (killed, url) = (leader.name(), leader.url());
        leader.kill().unwrap();
        // It goes on with two; only then does the third come back.
        let from = services.gateway.get("/v1/projections").await.ok();
        let read = from["items"][0]["position"].as_u64().unwrap();
        let on =
            |models: &serde_json::Value| models["items"][0]["position"].as_u64() >= Some(read + 50);
        services.gateway.until("/v1/projections", on).await;
        let under_way = !importing.is_finished();
        eprintln!("{killed} at {url} led {stream}; it went on, the import under way: {under_way}");
        services.killed_nats(&killed).start_again().unwrap();
    }
    importing.await.unwrap();
    services.until_digest(&expected.digest).await;
    services.verify().await;
    services.terminate().await;
}

async fn replicas(services: &Services, name: &str) -> usize {
    stream(services, name).await.cached_info().config.num_replicas
}

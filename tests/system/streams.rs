//! F31: browsers that listen while the platform ends.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Client, Response, StatusCode};

use crate::platform::{Data, Platform};
use crate::services::{Service, Services};
use crate::shop::order;

const STREAMS: usize = 100;

/// Opens streams, each of which has said something.
async fn open(platform: &Platform) -> Vec<Response> {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut open = Vec::new();
    for n in 0..STREAMS {
        let path = if n % 2 == 0 { "/v1/orders/o1/stream" } else { "/v1/events/stream" };
        let mut stream = client.get(format!("{}{path}", platform.url)).send().await.unwrap();
        assert_eq!(stream.status(), StatusCode::OK);
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        assert!(stream.chunk().await.unwrap().is_some());
        open.push(stream);
    }
    open
}

#[tokio::test]
async fn f31_a_hundred_streams_end_with_a_word_and_do_not_hold_up_the_end() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("22423", 10).await;
    platform.place(&order("o1", "22423", "pm_ok")).await;
    let streams = open(&platform).await;
    platform.deliver("o1").await;
    platform.until("/v1/orders/o1", |order| order["status"] == "completed").await;
    let begun = Instant::now();
    let heard = join_all(streams.into_iter().map(Response::text));
    let (ended, heard) = tokio::join!(platform.terminate(), heard);
    assert!(ended.success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    for heard in heard {
        let heard = heard.expect("it ends, and does not break");
        ended_with_a_word(&heard);
    }
    data.verify().await;
}

/// It told how the order ended, and when to come again.
fn ended_with_a_word(heard: &str) {
    assert!(heard.contains("event: order.completed\n"), "{heard}");
    assert!(heard.trim_end().ends_with("retry: 2000"), "{heard}");
}

#[tokio::test]
async fn f31_through_the_gateway_streams_go_on_as_they_come_and_end_with_either_process() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("22423", 10).await;
    services.gateway.place(&order("o1", "22423", "pm_ok")).await;
    let streams = open(&services.gateway).await;
    services.gateway.deliver("o1").await;
    services.gateway.until("/v1/orders/o1", |order| order["status"] == "completed").await;
    // The service ends, and with it its streams; the gateway stays.
    let begun = Instant::now();
    let heard = join_all(streams.into_iter().map(Response::text));
    let ((), heard) = tokio::join!(services.stop(Service::Notifications), heard);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    for heard in heard {
        ended_with_a_word(&heard.expect("it ends, and does not break"));
    }
    services.restart(Service::Notifications).await;
    services.until_all_are_ready().await;
    // The gateway ends, and with it the streams that go through it.
    let mut streams = open(&services.gateway).await;
    let last = streams.pop().unwrap();
    let begun = Instant::now();
    let (heard, ()) = tokio::join!(last.text(), services.terminate());
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    heard.expect("it ends, and does not break");
}

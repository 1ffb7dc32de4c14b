//! F31: browsers that listen while the platform ends.

use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Client, Response, StatusCode};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::platform::{Data, Platform};
use crate::services::{Service, Services};
use crate::shop::order;

const STREAMS: usize = 100;
/// Browsers that only listen.
const IDLE: usize = 1_000;
/// What others are asked to bear beside them; machines that build at the same time are slow.
const STILL_QUICK: Duration = Duration::from_secs(10);

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
    let last = heard.trim_end().lines().next_back().unwrap_or_default();
    assert!(last.starts_with("retry: "), "{heard}");
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

#[tokio::test]
async fn a_thousand_browsers_that_only_listen_hurt_nobody_else() {
    // Their ends are in this process.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let platform = Platform::fresh().await;
    platform.sell("22423", 10).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let path = format!("{}/v1/events/stream", platform.url);
    let listening = stream::iter(0..IDLE).map(|_| client.get(&path).send()).buffer_unordered(50);
    let mut listening: Vec<Response> = listening.try_collect().await.unwrap();
    assert!(listening.iter().all(|stream| stream.status() == StatusCode::OK));
    let begun = Instant::now();
    for write in 0..20 {
        let key = format!("beside-{write}");
        platform.post("/v1/stock/22423/receive", &key, &json!({ "quantity": 1 })).await.ok();
        platform.get("/v1/products").await.ok();
    }
    assert!(begun.elapsed() < STILL_QUICK, "{:?}", begun.elapsed());
    // They were no dead weight: each hears of the next order.
    platform.place(&order("o1", "22423", "pm_ok")).await;
    let hear = listening.iter_mut().map(|stream| async {
        let mut heard = String::new();
        while !heard.contains("event: order.") {
            let said = stream.chunk().await.unwrap().expect("it goes on");
            heard.push_str(&String::from_utf8_lossy(&said));
        }
    });
    tokio::time::timeout(Duration::from_mins(1), join_all(hear)).await.unwrap();
    let begun = Instant::now();
    assert!(platform.terminate().await.success());
    assert!(begun.elapsed() < STILL_QUICK, "{:?}", begun.elapsed());
}

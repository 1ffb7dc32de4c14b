//! Receivers that can't be reached: the log of a delivery says why, and nothing of what may not be reached.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use notification_service::{EgressSettings, Names, Networks, Settings};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::bench::{Bench, Running, id};
use crate::receiver::{Answer, Receiver};

/// Knows one name.
#[derive(Debug)]
struct OneName;

impl Names for OneName {
    fn addresses(&self, name: String) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            match name.as_str() {
                "here.example" => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
                _ => Err(io::Error::from(io::ErrorKind::NotFound)),
            }
        })
    }
}

fn listing(bench: &Bench, networks: &str) -> Settings {
    let settings = bench.settings();
    let networks = Networks::parse(networks).unwrap();
    let egress = EgressSettings { networks, ..settings.egress.clone() };
    Settings { egress, names: Arc::new(OneName), ..settings }
}

/// A port on which nobody listens.
async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Why the last attempt to tell it came to nothing, after more than so many.
async fn error(running: &Running, webhook: &Value, attempts: u64) -> String {
    let path = format!("/webhooks/{}/deliveries", id(webhook));
    let tried =
        |page: &Value| page["items"][0]["attempts"].as_u64().is_some_and(|made| made > attempts);
    let page = running.until(&path, tried).await;
    let shown = running.get(&format!("{path}/{}", page["items"][0]["id"])).await;
    let last = shown["log"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["status"], Value::Null, "{last}");
    last["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_log_says_why_a_receiver_could_not_be_reached() {
    let bench = Bench::on_sqlite();
    let running = bench.start_with(listing(&bench, "127.0.0.0/8")).await;
    let speaks_clear = Receiver::answering(Answer::Status(200)).await.address;
    let cases = [
        (format!("http://{}/", closed().await), "the connection was refused: nobody listens there"),
        ("http://nowhere.example/".to_owned(), "the name `nowhere.example` can't be resolved"),
        (format!("https://{speaks_clear}/"), "no TLS was agreed on with it"),
    ];
    let mut webhooks = Vec::new();
    for (url, _) in &cases {
        webhooks.push(running.register(url).await);
    }
    bench.log.place("o1").await;
    for (webhook, (url, expected)) in webhooks.iter().zip(&cases) {
        assert_eq!(error(&running, webhook, 0).await, *expected, "{url}");
    }
    running.service.shutdown().await;
}

/// Else the log would be a scanner of ports inside.
#[tokio::test]
async fn of_an_address_that_may_not_be_reached_it_does_not_say_whether_anybody_listens() {
    let bench = Bench::on_sqlite();
    let open = Receiver::answering(Answer::Status(500)).await.address;
    let running = bench.start_with(listing(&bench, "127.0.0.0/8")).await;
    let mut webhooks = Vec::new();
    for port in [open.port(), closed().await.port()] {
        webhooks.push(running.register(&format!("http://127.0.0.1:{port}/")).await);
        webhooks.push(running.register(&format!("http://here.example:{port}/")).await);
    }
    running.service.shutdown().await;
    // Another network is listed in its place.
    let running = bench.start_with(listing(&bench, "192.0.2.0/24")).await;
    bench.log.place("o1").await;
    for webhook in &webhooks {
        let said = error(&running, webhook, 0).await;
        let refused =
            "the address 127.0.0.1 is not public, and in no network that `webhook_networks` lists";
        assert_eq!(said, refused, "{webhook}");
    }
    running.service.shutdown().await;
}

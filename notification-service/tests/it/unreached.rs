//! Receivers that can't be reached: the log of a delivery says why, and nothing of what may not be reached.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use notification_service::{EgressSettings, Names, Networks, Settings};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};

use crate::bench::{Bench, PATIENCE, Running, id};
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

/// Knows where a name is, and says it late.
#[derive(Debug)]
struct Late {
    asked: Notify,
    says: Semaphore,
}

impl Default for Late {
    fn default() -> Self {
        Self { asked: Notify::new(), says: Semaphore::new(0) }
    }
}

impl Names for Late {
    fn addresses(&self, _name: String) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            self.asked.notify_one();
            let said = self.says.acquire().await;
            said.map(|_| vec![IpAddr::from([127, 0, 0, 1])]).map_err(io::Error::other)
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

#[tokio::test]
async fn while_a_name_is_looked_up_other_webhooks_are_changed() {
    let bench = Bench::on_sqlite();
    let names = Arc::new(Late::default());
    let settings = bench.settings();
    let egress = EgressSettings { deadline: PATIENCE, ..settings.egress };
    let names_of_it = Arc::clone(&names) as _;
    let running = bench.start_with(Settings { egress, names: names_of_it, ..settings }).await;
    let webhook = running.register("http://127.0.0.1:9/").await;
    let off = format!("/webhooks/{}/disable", id(&webhook));
    let late = json!({ "url": "http://late.example/", "reason": "go live" });
    let (first, twice, ()) = tokio::join!(
        running.post("/webhooks", "late", late.clone()),
        running.post("/webhooks", "late", late),
        async {
            names.asked.notified().await;
            let off = running.post(&off, "off", json!({ "reason": "it is down" }));
            let (status, webhook) = tokio::time::timeout(PATIENCE / 4, off).await.unwrap();
            assert_eq!(status, 200, "{webhook}");
            names.says.add_permits(1);
        }
    );
    assert_eq!(first.0, 201, "{}", first.1);
    assert_eq!(first, twice, "one webhook, also when it is asked for twice at once");
    running.service.shutdown().await;
}

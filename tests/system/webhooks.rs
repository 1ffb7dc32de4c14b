//! F23: receivers that answer 500, hang, redirect, drip or are gone, beside one that is well; over real processes, which are killed
//! under way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::platform::{Data, PATIENCE, Platform, docket, text};
use crate::services::{Service, Services};
use crate::shop::order;

/// What is told of an order that is shipped, delivered and paid.
const WHOLE: [&str; 7] = [
    "order.placed",
    "payment.authorized",
    "order.confirmed",
    "parcel.shipped",
    "payment.captured",
    "parcel.delivered",
    "order.completed",
];
const ORDERS: usize = 12;

/// How a receiver answers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    Well,
    /// Every second request is 500.
    Moody,
    Hangs,
    Redirects,
    Gone,
}

/// The types that were told of each order, in the order of their first arrival; and how many requests there were.
#[derive(Debug, Default)]
struct Heard {
    orders: BTreeMap<String, Vec<String>>,
    requests: usize,
}

#[derive(Clone)]
struct Receiver {
    manner: Manner,
    heard: Arc<Mutex<Heard>>,
    address: SocketAddr,
}

impl Receiver {
    async fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = Self { manner, heard: Arc::default(), address };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn requests(&self) -> usize {
        self.heard.lock().unwrap().requests
    }

    /// Waits until it heard all of every order, in order.
    async fn until_it_heard_everything(&self) {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let heard = self.heard.lock().unwrap().orders.clone();
            let whole = heard.values().filter(|types| types.len() >= WHOLE.len()).count();
            if whole == ORDERS {
                for (order, types) in heard {
                    assert_eq!(types, WHOLE, "{order} at one that is {:?}", self.manner);
                }
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{:?} heard {heard:#?}", self.manner);
        }
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> Response {
    assert!(headers["webhook-signature"].to_str().unwrap().starts_with("v1,"));
    let event: Value = serde_json::from_str(&body).unwrap();
    let requests = {
        let mut heard = receiver.heard.lock().unwrap();
        heard.requests += 1;
        heard.requests
    };
    let answer = match receiver.manner {
        Manner::Well => StatusCode::OK.into_response(),
        Manner::Moody if requests.is_multiple_of(2) => {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        Manner::Moody => StatusCode::ACCEPTED.into_response(),
        Manner::Hangs => std::future::pending().await,
        Manner::Redirects => {
            let to = [(header::LOCATION, "http://169.254.169.254/latest/meta-data/")];
            return (StatusCode::FOUND, to).into_response();
        }
        Manner::Gone => return StatusCode::GONE.into_response(),
    };
    let order = event["subject"].as_str().unwrap().to_owned();
    let kind = event["type"].as_str().unwrap().to_owned();
    let mut heard = receiver.heard.lock().unwrap();
    let types = heard.orders.entry(order).or_default();
    // What was taken and not noted before a crash comes again.
    if !types.contains(&kind) {
        types.push(kind);
    }
    answer
}

/// Speaks HTTP a byte at a time, and never ends a head.
async fn dripping() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
                let head = "HTTP/1.1 200 OK\r\nx-slow: ".bytes().chain(std::iter::repeat(b'a'));
                for byte in head {
                    ticks.tick().await;
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn register(platform: &Platform, address: SocketAddr) -> String {
    let url = format!("http://{address}/hooks");
    let webhook =
        platform.post("/v1/webhooks", &url, &json!({ "url": url, "reason": "go live" })).await;
    assert_eq!(webhook.status, 201, "{webhook:?}");
    webhook.body["id"].as_str().unwrap().to_owned()
}

/// Places this order and carries it to its end.
async fn carry_out(platform: &Platform, id: &str) {
    platform.place(&order(id, "22423", "pm_ok")).await;
    let parcels = format!("/v1/shipments?order_id={id}");
    let there = |page: &Value| page["items"].as_array().is_some_and(|items| items.len() == 1);
    let page = platform.until(&parcels, there).await;
    let parcel = format!("/v1/shipments/{}", page["items"][0]["id"].as_str().unwrap());
    let shipped = json!({ "carrier": "Royal Mail", "tracking": "RM1" });
    platform.post(&format!("{parcel}/ship"), &format!("ship/{id}"), &shipped).await.ok();
    // Else the parcel may arrive before it is paid.
    let captured = |order: &Value| order["payment"]["captured"].as_i64() > Some(0);
    platform.until(&format!("/v1/orders/{id}"), captured).await;
    platform.post(&format!("{parcel}/deliver"), &format!("deliver/{id}"), &json!({})).await.ok();
}

/// Everybody who is told.
struct Receivers {
    well: Receiver,
    moody: Receiver,
    hangs: Receiver,
    redirects: Receiver,
    gone: Receiver,
    ids: BTreeMap<&'static str, String>,
}

impl Receivers {
    async fn register(platform: &Platform) -> Self {
        let mut ids = BTreeMap::new();
        let mut all = Vec::new();
        for (name, manner) in [
            ("hangs", Manner::Hangs),
            ("redirects", Manner::Redirects),
            ("gone", Manner::Gone),
            ("moody", Manner::Moody),
            ("well", Manner::Well),
        ] {
            let receiver = Receiver::new(manner).await;
            ids.insert(name, register(platform, receiver.address).await);
            all.push(receiver);
        }
        ids.insert("drips", register(platform, dripping().await).await);
        let [hangs, redirects, gone, moody, well] = all.try_into().ok().unwrap();
        Self { well, moody, hangs, redirects, gone, ids }
    }

    /// Who takes what it is told has heard it all; the others are what they are, and say so.
    async fn check(&self, platform: &Platform) {
        self.well.until_it_heard_everything().await;
        self.moody.until_it_heard_everything().await;
        let path = |name: &str| format!("/v1/webhooks/{}", self.ids[name]);
        let gone = platform.get(&path("gone")).await.ok();
        assert_eq!(gone["state"], "disabled", "{gone}");
        assert!(self.gone.requests() <= 8, "{} requests after 410", self.gone.requests());
        for name in ["hangs", "redirects", "drips"] {
            let failing = |webhook: &Value| webhook["failing_since"].is_string();
            platform.until(&path(name), failing).await;
        }
        assert!(self.hangs.requests() > 0 && self.redirects.requests() > 0);
        let waiting = format!("{}/deliveries?state=waiting", path("redirects"));
        let waits = |page: &Value| page["items"].as_array().is_some_and(|items| !items.is_empty());
        platform.until(&waiting, waits).await;
    }
}

#[tokio::test]
async fn f23_receivers_that_fail_hurt_nobody_else_and_a_kill_loses_nothing() {
    let data = Data::new();
    let start = async || {
        let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
        command.args(["--webhook-networks", "127.0.0.0/8", "--webhook-deadline-ms", "1000"]);
        command.args(["--webhook-retries-s", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"]);
        Platform::of({
            command.arg("--data-dir").arg(data.path());
            command
        })
        .await
    };
    let platform = start().await;
    platform.sell("22423", 1_000).await;
    let receivers = Receivers::register(&platform).await;
    for n in 0..ORDERS / 2 {
        carry_out(&platform, &format!("o{n}")).await;
    }
    platform.kill().await;
    let platform = start().await;
    for n in ORDERS / 2..ORDERS {
        carry_out(&platform, &format!("o{n}")).await;
    }
    receivers.check(&platform).await;
    let log = platform.get("/v1/events?limit=1000").await.ok();
    let acted = log["items"].as_array().unwrap().iter();
    let acted = acted.filter(|event| event["data"]["action"] == "register_webhook").count();
    assert_eq!(acted, receivers.ids.len(), "who registered what stands in the log");
    let begun = Instant::now();
    assert!(platform.terminate().await.success());
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    data.verify().await;
}

#[tokio::test]
async fn f23_the_same_over_separate_processes() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("22423", 1_000).await;
    let receivers = Receivers::register(&services.gateway).await;
    for n in 0..ORDERS / 2 {
        carry_out(&services.gateway, &format!("o{n}")).await;
    }
    services.kill(Service::Notifications).await;
    for n in ORDERS / 2..ORDERS {
        carry_out(&services.gateway, &format!("o{n}")).await;
    }
    services.until_all_are_ready().await;
    receivers.check(&services.gateway).await;
    services.terminate().await;
}

#[tokio::test]
async fn the_command_line_registers_shows_tells_again_and_deletes() {
    let data = Data::new();
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
    command.args(["--webhook-networks", "127.0.0.1", "--data-dir"]).arg(data.path());
    let platform = Platform::of(command).await;
    let receiver = Receiver::new(Manner::Well).await;
    let run = async |words: &[&str]| {
        let mut command = docket(&["webhooks"]);
        // Found as every command finds it, also behind the words of one that is below another.
        command.args(words).args(["--actor", "ada"]).env("DOCKET_GATEWAY_URL", &platform.url);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let address = format!("http://{}/", receiver.address);
    let added =
        run(&["add", &address, "--events", "order.placed", "--reason", "erp", "--json"]).await;
    let webhook: Value = serde_json::from_str(&added).unwrap();
    assert!(webhook["secret"].as_str().unwrap().starts_with("whsec_"));
    let id = webhook["id"].as_str().unwrap();
    assert!(run(&["list"]).await.contains(&address));
    platform.sell("22423", 1_000).await;
    platform.place(&order("o1", "22423", "pm_ok")).await;
    let delivered = format!("/v1/webhooks/{id}/deliveries?state=delivered");
    let one = |page: &Value| page["items"].as_array().is_some_and(|items| items.len() == 1);
    let page = platform.until(&delivered, one).await;
    let delivery = page["items"][0]["id"].to_string();
    assert!(run(&["deliveries", id]).await.contains("order.placed"));
    assert!(run(&["delivery", id, &delivery]).await.contains("200"));
    run(&["redeliver", id, &delivery, "--reason", "lost"]).await;
    let begun = Instant::now();
    while receiver.requests() < 2 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    assert!(run(&["disable", id, "--reason", "pause"]).await.contains("disabled"));
    assert!(run(&["enable", id, "--reason", "go on"]).await.contains("enabled"));
    let rotate = ["rotate-secret", id, "--reason", "leaked", "--url", &platform.url];
    let rotated = docket(&["webhooks"]).args(rotate).output().await.unwrap();
    let said = String::from_utf8_lossy(&rotated.stderr);
    assert!(said.contains("not shown again"), "{}", text(&rotated));
    run(&["delete", id, "--reason", "no more of it"]).await;
    assert!(run(&["list"]).await.contains("There are none."));
    let log = platform.get("/v1/events?limit=1000").await.ok();
    let acted = log["items"].as_array().unwrap().iter();
    let acted = acted.filter(|event| event["type"] == "OperatorActed");
    let reasons: Vec<&str> = acted.filter_map(|event| event["data"]["reason"].as_str()).collect();
    assert_eq!(reasons, ["erp", "lost", "pause", "go on", "leaked", "no more of it"]);
    let refused =
        docket(&["webhooks", "add", "http://10.0.0.1/", "--reason", "try", "--url", &platform.url])
            .output();
    let refused = refused.await.unwrap();
    assert!(text(&refused).contains("webhook_refused"), "{}", text(&refused));
    assert!(platform.terminate().await.success());
}

//! Where requests may not go, in whatever form somebody asks for it.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use notification_service::{EgressSettings, Names, Networks, Settings};
use serde_json::{Value, json};

use crate::bench::{Bench, id};
use crate::receiver::{Answer, Receiver};

/// Every way that we know to say an address that is not public.
const FORBIDDEN: &[&str] = &[
    // This machine.
    "https://127.0.0.1/",
    "https://127.0.0.1:6379/",
    "https://127.8.9.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://0177.0.0.01/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://%31%32%37.0.0.1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://0.0.0.0/",
    "https://0/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[::ffff:0:127.0.0.1]/",
    // Metadata of clouds.
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0xa9.0xfe.0xa9.0xfe/",
    "https://0251.0376.0251.0376/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::a9fe:a9fe]/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    // The inside of a network.
    "https://10.0.0.1/",
    "https://10.1/",
    "https://172.16.0.1/",
    "https://172.31.255.254/",
    "https://192.168.1.1/",
    "https://3232235777/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://[fc00::1]/",
    "https://[fd12:3456:789a::1]/",
    "https://[fec0::1]/",
    "https://[::ffff:10.0.0.1]/",
    // Everybody, nobody, and examples.
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://255.255.255.255/",
    "https://240.0.0.1/",
    "https://192.0.2.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[100::1]/",
    // What is public gets nothing in clear.
    "http://93.184.216.34/",
    "http://[2606:2800:220:1::1]/",
];

/// A name server of a test.
#[derive(Default)]
struct Zone {
    /// The answers, one after another; the last one again and again.
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Zone {
    fn answering(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|all| all.iter().map(|ip| ip.parse().unwrap()).collect());
        Arc::new(Self { answers: Mutex::new(answers.collect()), asked: AtomicUsize::new(0) })
    }
}

impl Names for Zone {
    fn addresses(&self, _name: String) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

/// Nothing is listed but these networks.
fn listing(bench: &Bench, networks: &str, names: Arc<dyn Names>) -> Settings {
    let settings = bench.settings();
    let networks = Networks::parse(networks).unwrap();
    let egress = EgressSettings { networks, ..settings.egress };
    Settings { egress, names, ..settings }
}

fn asking_for(url: &str) -> Value {
    json!({ "url": url, "reason": "go live" })
}

#[tokio::test]
async fn no_form_of_an_address_that_is_not_public_is_taken() {
    let bench = Bench::on_sqlite();
    let names = Zone::answering(&[&["127.0.0.1"]]);
    let running = bench.start_with(listing(&bench, "", names)).await;
    for (number, url) in FORBIDDEN.iter().enumerate() {
        let key = number.to_string();
        let (status, problem) = running.post("/webhooks", &key, asking_for(url)).await;
        let told = (status.as_u16(), problem["code"].as_str().unwrap_or_default());
        assert_eq!(told, (422, "webhook_refused"), "{url}: {problem}");
    }
    for name in ["https://localhost/", "https://anything.example/", "https://LOCALHOST./"] {
        let (_, problem) = running.post("/webhooks", name, asking_for(name)).await;
        assert_eq!(problem["code"], "webhook_refused", "{name} leads there");
    }
    for wrong in [
        "https://[fe80::1%25eth0]/",
        "https://256.1.1.1/",
        "https://0x100000000/",
        "https://1.2.3.4.5/",
    ] {
        let (_, problem) = running.post("/webhooks", wrong, asking_for(wrong)).await;
        assert_eq!(problem["code"], "invalid_body", "{wrong} is no address");
    }
    assert_eq!(running.get("/webhooks").await["items"], json!([]));
    running.service.shutdown().await;
}

#[tokio::test]
async fn a_public_address_is_taken_over_tls() {
    let bench = Bench::on_sqlite();
    let names = Zone::answering(&[&["93.184.216.34", "2606:2800:220:1::1"]]);
    let running = bench.start_with(listing(&bench, "", names)).await;
    for url in ["https://93.184.216.34/", "https://shop.example/", "https://[2606:2800:220:1::1]/"]
    {
        running.register(url).await;
    }
    let (_, problem) = running.post("/webhooks", "k", asking_for("http://shop.example/")).await;
    assert_eq!(problem["code"], "webhook_refused", "not in clear");
    running.service.shutdown().await;
}

#[tokio::test]
async fn where_no_network_is_listed_nothing_is_taken_that_would_be_told_in_clear() {
    let bench = Bench::on_sqlite();
    let names = Zone::answering(&[&[]]);
    let running = bench.start_with(listing(&bench, "", Arc::clone(&names) as _)).await;
    let url = "http://shop.example/";
    let (status, problem) = running.post("/webhooks", "k", asking_for(url)).await;
    assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("webhook_refused")));
    let told = problem["errors"][0]["detail"].as_str().unwrap_or_default();
    assert!(told.contains("`webhook_networks`") && told.contains("`https`"), "{problem}");
    assert_eq!(names.asked.load(Ordering::Relaxed), 0, "no name is asked for");
    running.service.shutdown().await;
    // What has no address yet may get one in a network that is listed.
    let running = bench.start_with(listing(&bench, "10.1.0.0/16", names)).await;
    running.register(url).await;
    running.service.shutdown().await;
}

/// The name is looked up once for an attempt, and what was checked is connected to.
#[tokio::test]
async fn a_name_that_changes_between_check_and_use_leads_nowhere_else() {
    let bench = Bench::on_sqlite();
    let honest = Receiver::at("127.0.0.2:0", Answer::Status(200)).await;
    let port = honest.address.port();
    let inside = Receiver::at(&format!("127.0.0.1:{port}"), Answer::Status(200)).await;
    // At the registration, for the first attempt, and from then on.
    let names = Zone::answering(&[&["127.0.0.2"], &["127.0.0.2"], &["127.0.0.1"]]);
    let settings = listing(&bench, "127.0.0.2", Arc::clone(&names) as _);
    let running = bench.start_with(settings).await;
    let webhook = running.register(&format!("http://rebinding.example:{port}/")).await;
    assert_eq!(names.asked.load(Ordering::Relaxed), 1);
    bench.log.place("o1").await;
    honest.until(1).await;
    running.until_deliveries(&webhook, "delivered", 1).await;
    assert_eq!(names.asked.load(Ordering::Relaxed), 2, "once for the attempt");
    running.service.shutdown().await;

    // A new process has no connection left: it asks, is led inside, and does not go.
    let names = Zone::answering(&[&["127.0.0.1"]]);
    let running = bench.start_with(listing(&bench, "127.0.0.2", Arc::clone(&names) as _)).await;
    bench.log.confirm("o1").await;
    let path = format!("/webhooks/{}/deliveries", id(&webhook));
    let page = running.until(&path, |page| page["items"][0]["attempts"].as_u64() > Some(1)).await;
    let delivery = page["items"][0]["id"].as_i64().unwrap();
    let shown = running.get(&format!("{path}/{delivery}")).await;
    let said =
        "the address 127.0.0.1 is not public, and in no network that `webhook_networks` lists";
    assert_eq!(shown["log"][0]["error"], said);
    assert_eq!(inside.told().len(), 0);
    running.service.shutdown().await;
}

#[tokio::test]
async fn of_a_name_that_is_public_and_inside_at_once_neither_is_asked() {
    let bench = Bench::on_sqlite();
    let names = Zone::answering(&[&["93.184.216.34", "169.254.169.254"]]);
    let running = bench.start_with(listing(&bench, "", names)).await;
    let url = "https://both.example/";
    let (_, problem) = running.post("/webhooks", url, asking_for(url)).await;
    assert_eq!(problem["code"], "webhook_refused");
    running.service.shutdown().await;
}

#[tokio::test]
async fn a_redirect_to_the_metadata_is_an_answer_like_another() {
    let bench = Bench::on_sqlite();
    let to = "http://169.254.169.254/latest/meta-data/iam/".to_owned();
    let receiver = Receiver::answering(Answer::Redirect(to)).await;
    let running = bench.start().await;
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    receiver.until(2).await;
    running.until_deliveries(&webhook, "waiting", 1).await;
    running.service.shutdown().await;
}

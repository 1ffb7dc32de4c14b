//! The process: how it starts, ends and refuses.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use test_servers::free_port;

use crate::platform::{Data, Platform, docket, text};

#[tokio::test]
async fn sigterm_ends_it_with_exit_0_and_nothing_is_lost() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("22423", 7).await;
    assert!(platform.terminate().await.success());
    let platform = Platform::start(&data).await;
    let stock = platform.until("/v1/stock/22423", |stock| stock["available"] == 7).await;
    assert_eq!((&stock["reserved"], &stock["on_hand"]), (&0.into(), &7.into()));
}

/// F31: whatever shares requests out sees that a process ends before anybody is refused there.
#[tokio::test]
async fn readiness_goes_first_and_requests_are_taken_until_it_can_have_been_seen() {
    for (name, delay_ms, delay_s) in [
        ("dev", Some("2000"), 2),
        ("payment-simulator", Some("2000"), 2),
        ("payment-simulator", None, 1),
        ("gateway", None, 5),
    ] {
        let data = Data::new();
        let mut command = docket(&[name, "--listen", "127.0.0.1:0"]);
        if let Some(delay_ms) = delay_ms {
            command.env("DOCKET_SHUTDOWN_DELAY_MS", delay_ms);
        }
        if name != "gateway" {
            command.arg("--data-dir").arg(data.path());
        }
        // A connection for each request: it has to be taken.
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build();
        let process = Platform::of(command).await.over(client.unwrap());
        let part = if name == "dev" { "docket" } else { name };
        process.until("/health/ready", |health| health["parts"][part] != "starts").await;
        let begun = Instant::now();
        process.signal("-TERM").await;
        process.until("/health/ready", |health| health["parts"][part] == "ends").await;
        let health = process.get("/health/ready").await;
        assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE, "{name}");
        assert_eq!(
            (&health.body["status"], health.header("connection")),
            (&"ending".into(), "close")
        );
        assert_eq!(process.get("/health/live").await.status, StatusCode::OK, "{name}");
        assert!(process.ended().await.success(), "{name}");
        let delay = Duration::from_secs(delay_s);
        assert!(begun.elapsed() >= delay, "{name}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let data = Data::new();
    let _platform = Platform::start(&data).await;
    let output = data.docket(&["dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("in use by another Docket"), "{}", text(&output));
}

/// Asks a process that is about to start until it answers; the status of the first answer.
async fn first_answer(client: reqwest::Client, url: String) -> StatusCode {
    let begun = Instant::now();
    loop {
        let asked = client.post(&url).header("idempotency-key", "early").body("{}").send().await;
        if let Ok(answer) = asked {
            return answer.status();
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{url} does not answer");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_in_the_moment_in_which_a_service_listens_is_told_to_come_again() {
    let (port, nobody) = (free_port().unwrap(), free_port().unwrap());
    let database = format!("postgres://nobody@127.0.0.1:{nobody}/log");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{port}/v1/orders");
    let asking: Vec<_> =
        (0..50).map(|_| tokio::spawn(first_answer(client.clone(), url.clone()))).collect();
    let listen = format!("127.0.0.1:{port}");
    let provider = format!("http://127.0.0.1:{nobody}");
    let mut service = docket(&["command-service", "--listen", &listen]);
    service.args(["--postgres-url", &database, "--payment-provider-url", &provider]);
    let broker = format!("nats://127.0.0.1:{nobody}");
    service.args(["--master-key-file", "no-key", "--nats-url", &broker]);
    let _service = service.spawn().unwrap();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    }
}

/// What the API promises, by method.
const DESCRIBED: [(&str, &str); 2] = [
    (
        "post",
        "/products /products/{sku}/price /products/{sku}/name /products/{sku}/discontinue /stock/{sku}/receive /stock/{sku}/adjust \
         /customers /customers/{id}/contact /customers/{id}/block /customers/{id}/erase /orders /orders/{id}/lines \
         /orders/{id}/lines/{line}/quantity /orders/{id}/lines/{line}/remove /orders/{id}/place /orders/{id}/hold \
         /orders/{id}/release /orders/{id}/cancel /orders/{id}/erase /orders/{id}/lines/cancel /orders/{id}/returns \
         /orders/{id}/returns/{return}/receive /shipments/{id}/ship /shipments/{id}/deliver /sagas/{id}/retry \
         /sagas/{id}/resolve /projections/{name}/rebuild /projections/{name}/rollback \
         /projections/{name}/switch /projections/{name}/drop /projections/{name}/park /projections/{name}/replay \
         /dead-letters/{id}/replay",
    ),
    (
        "get",
        "/orders /orders/{id} /orders/{id}/events /products /stock /stock/{sku} /customers/{id} /payments/{id} \
         /shipments /shipments/{id} /events /simulator/ledger /sagas /sagas/{id} /sagas/{id}/explain /dead-letters \
         /dead-letters/{id} /projections \
         /projections/{name} /reports/sales",
    ),
];

/// Names that no schema has: what a client generates from the description would collide with its own.
const PRIMITIVES: [&str; 20] = [
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
    "f64", "bool", "char", "str", "String", "Value", "()",
];

/// Every `$ref` in a description.
fn references(api: &Value) -> Vec<&str> {
    match api {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn what_explains_the_api_is_there() {
    let platform = Platform::fresh().await;
    let api = platform.get("/openapi.json").await.ok();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"), "{}", api["openapi"]);
    for (method, path) in DESCRIBED.iter().flat_map(|(method, paths)| {
        paths.split_whitespace().map(move |path| (method, format!("/v1{path}")))
    }) {
        assert!(api["paths"][&path][method].is_object(), "{method} {path} is not described");
    }
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert!(api["paths"][path]["get"].is_object(), "{path} is not described");
    }
    for reference in references(&api) {
        let found = reference.strip_prefix('#').and_then(|pointer| api.pointer(pointer));
        assert!(found.is_some(), "{reference} leads nowhere");
    }
    let named: Vec<&str> =
        api["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
    for primitive in PRIMITIVES {
        assert!(!named.contains(&primitive), "the schema `{primitive}` is a word of Rust's");
    }
    assert!(!api.to_string().contains("`Debug`"), "the description speaks of the code");
    for path in ["/", "/docs/", "/metrics", "/health/live", "/docs/errors/out_of_stock"] {
        assert!(platform.get(path).await.status.is_success(), "{path}");
    }
}

#[tokio::test]
async fn help_says_what_there_is() {
    let output = docket(&["--help"]).output().await.unwrap();
    let help = text(&output);
    for command in ["dev", "import", "replay", "status", "verify"] {
        assert!(help.contains(command), "{help}");
    }
    assert_eq!(docket(&["nonsense"]).output().await.unwrap().status.code(), Some(2));
}

#[tokio::test]
async fn who_names_the_folder_of_a_running_platform_is_told_which_process_has_it() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    let process = platform.id().to_string();
    let status = data.docket(&["status"]).await;
    let said = text(&status);
    assert!(status.status.success(), "{said}");
    assert!(said.contains(&format!("in use by Docket process {process}:")), "{said}");
    let replay = data.docket(&["replay"]).await;
    let said = text(&replay);
    assert_eq!(replay.status.code(), Some(1), "{said}");
    let advice = format!("(process {process}); stop it, or replay through it with --url URL");
    assert!(said.contains(&advice), "{said}");
    platform.terminate().await;
    let said = text(&data.docket(&["status"]).await);
    assert!(said.contains("stopped: this is what the files say"), "{said}");
}

#[tokio::test]
async fn wrong_settings_of_who_comes_in_and_who_is_asked_end_the_start_with_2() {
    let data = Data::new();
    let broken = data.path().join("auth.toml");
    std::fs::write(&broken, "audience = 7").unwrap();
    let (broken, nowhere) = (broken.to_str().unwrap(), data.path().join("none.toml"));
    for words in [
        &["--auth-file", broken][..],
        &["--auth-file", nowhere.to_str().unwrap()],
        &["--listen", "0.0.0.0:0"],
        &["--payment-provider", "stripe", "--stripe-api-url", "http://stripe.example"],
        &["--mail-server", "smtp://mail.example?tls=off", "--mail-from", "a@b.example"],
    ] {
        let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
        if words[0] == "--listen" {
            command = docket(&["dev"]);
        }
        command.args(words).env("DOCKET_STRIPE_SECRET_KEY", "sk_test");
        let output =
            command.arg("--data-dir").arg(data.path().join("data")).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", text(&output));
    }
}

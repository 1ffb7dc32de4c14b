//! Clients that send slowly, too much or too deep, and pages of other origins: nobody else is hurt.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::header::HeaderMap;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::platform::{Data, Platform, docket};

/// Connections of somebody who sends slowly.
const SLOW: usize = 300;
/// What others are asked to bear meanwhile; machines that build at the same time are slow.
const STILL_QUICK: Duration = Duration::from_secs(10);

async fn others_are_served(platform: &Platform, round: &str) {
    let begun = Instant::now();
    for write in 0..20 {
        let key = format!("{round}-{write}");
        platform.post("/v1/stock/cup/receive", &key, &json!({ "quantity": 1 })).await.ok();
        platform.get("/v1/products").await.ok();
    }
    assert!(begun.elapsed() < STILL_QUICK, "{round}: {:?}", begun.elapsed());
}

/// Connections on which a request was begun with these bytes, and not ended.
async fn begun(platform: &Platform, bytes: &str) -> Vec<TcpStream> {
    let address = platform.url.strip_prefix("http://").unwrap();
    let connections = (0..SLOW).map(async |_| {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(bytes.as_bytes()).await.unwrap();
        connection
    });
    join_all(connections).await
}

#[tokio::test]
async fn who_sends_slowly_too_much_or_too_deep_hurts_nobody_else() {
    let platform = Platform::fresh().await;
    platform.sell("cup", 5).await;
    let head = "POST /v1/orders HTTP/1.1\r\nhost: localhost\r\nidempotency-key: slow\r\n";
    let heads = begun(&platform, head).await;
    let body = format!("{head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{");
    let bodies = begun(&platform, &body).await;
    others_are_served(&platform, "slow").await;
    drop((heads, bodies));

    let large = vec![b' '; 10 * 1024 * 1024];
    let key = [("idempotency-key", "large")];
    let many = (0..10).map(|_| platform.post_with("/v1/orders", &key, large.clone()));
    let (answers, ()) = tokio::join!(join_all(many), others_are_served(&platform, "large"));
    for answer in answers {
        assert_eq!(answer.problem(), (413, "body_too_large"));
    }

    for (opens, closes) in [("[", "]"), ("{\"lines\":", "}")] {
        let deep = format!("{}1{}", opens.repeat(90_000), closes.repeat(90_000));
        let key = [("idempotency-key", "deep")];
        let answer = platform.post_with("/v1/orders", &key, deep).await;
        assert_eq!(answer.problem(), (400, "invalid_body"));
    }
    others_are_served(&platform, "deep").await;
    assert!(platform.terminate().await.success());
}

#[tokio::test]
async fn a_platform_takes_as_many_connections_as_the_system_lets_it() {
    let data = Data::new();
    let mut command = tokio::process::Command::new("sh");
    let binary = env!("CARGO_BIN_EXE_docket");
    // As most shells begin a program.
    command.args(["-c", "ulimit -S -n 256 && exec \"$@\"", "sh", binary, "dev"]).kill_on_drop(true);
    command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data.path());
    let platform = Platform::of(command).await;
    let address = platform.url.strip_prefix("http://").unwrap();
    let held = join_all((0..400).map(|_| TcpStream::connect(address))).await;
    assert!(held.iter().all(Result::is_ok));
    platform.get("/v1/products").await.ok();
}

#[tokio::test]
async fn answers_say_what_a_browser_may_do_with_them() {
    let data = Data::new();
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(data.path()).args(["--cors-origins", "https://shop.example"]);
    let platform = Platform::of(command).await;
    let answer = platform.get_with("/v1/products", &[("origin", "https://shop.example")]).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://shop.example");
    assert!(answer.header("access-control-expose-headers").contains("docket-position"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    let answer = platform.get_with("/v1/products", &[("origin", "https://other.example")]).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let page = platform.get("/").await;
    assert!(page.header("content-security-policy").starts_with("default-src 'self'"));

    let preflight = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, format!("{}/v1/orders", platform.url));
    let preflight = preflight
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "idempotency-key,authorization");
    let allowed: HeaderMap = preflight.send().await.unwrap().headers().clone();
    assert!(allowed["access-control-allow-headers"].to_str().unwrap().contains("idempotency-key"));
    let allowed = allowed["access-control-allow-methods"].to_str().unwrap().to_lowercase();
    let api = platform.get("/openapi.json").await.ok();
    let paths = api["paths"].as_object().unwrap().values();
    for method in paths.flat_map(|path| path.as_object().unwrap().keys()) {
        assert!(allowed.split(',').any(|one| one == method), "{method} is none of {allowed}");
    }
}

#[tokio::test]
async fn large_answers_are_compressed_for_who_takes_that() {
    let platform = Platform::fresh().await;
    let plain = platform.get_with("/openapi.json", &[]).await;
    assert_eq!(plain.header("content-encoding"), "");
    let small = platform.get_with("/openapi.json", &[("accept-encoding", "gzip")]).await;
    assert_eq!(small.header("content-encoding"), "gzip");
    assert!(small.body.is_null(), "it is no plain JSON");
    let tiny = platform.get_with("/health/live", &[("accept-encoding", "gzip")]).await;
    assert_eq!(tiny.header("content-encoding"), "");
}

#[tokio::test]
async fn a_page_of_the_web_whose_name_leads_here_is_not_let_in() {
    let data = Data::new();
    for process in ["dev", "payment-simulator", "gateway"] {
        let mut command = docket(&[process, "--listen", "127.0.0.1:0"]);
        command.env("DOCKET_SHUTDOWN_DELAY_MS", "0");
        if process != "gateway" {
            command.arg("--data-dir").arg(data.path().join(process));
        }
        let platform = Platform::of(command).await;
        for path in ["/", "/v1/orders", "/health/live", "/nothing"] {
            let answer = platform.get_with(path, &[("host", "rebound.example:8080")]).await;
            assert_eq!(answer.problem(), (421, "misdirected_request"), "{process} {path}");
        }
        let answer = platform.get_with("/health/live", &[("host", "localhost:8080")]).await;
        assert_eq!(answer.status, 200, "{process}");
    }
}

//! TLS on the platform's own address, in one process: who is believed, who is let in, what is renewed, and who hurts whom.

use std::process::Output;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use test_servers::{Authority, Usage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::certificates::Certificates;
use crate::platform::{Data, PATIENCE, Platform, docket, text};
use crate::shop::order;

/// Connections on which a handshake is begun and not ended.
const HALF_OPEN: usize = 1_000;

struct Shop {
    data: Data,
    certificates: Certificates,
    platform: Platform,
}

impl Shop {
    /// A platform that shows a certificate, and may ask for one.
    async fn open(asks: bool) -> Self {
        let (data, certificates) = (Data::new(), Certificates::new());
        let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(data.path());
        certificates.shown_by(&mut command);
        if asks {
            certificates.asked_for_by(&mut command);
        }
        let platform = Platform::of(command).await;
        assert!(platform.url.starts_with("https://127.0.0.1:"), "{}", platform.url);
        let client = certificates.client(asks.then_some("client"), None);
        Self { data, certificates, platform: platform.over(client) }
    }

    fn address(&self) -> &str {
        self.platform.url.strip_prefix("https://").unwrap()
    }

    /// Everything that is said to these bytes.
    async fn said(&self, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        drop(read.expect("an end"));
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// `docket status` of it, by a client that believes and shows what is said.
    async fn status(&self, believes: bool, shows: bool) -> Output {
        let mut command = docket(&["status", "--url", &self.platform.url]);
        if believes {
            self.certificates.believed_by(&mut command);
        }
        if shows {
            self.certificates.known_to_others(&mut command);
        }
        command.output().await.unwrap()
    }

    /// `docket health` as it runs beside the process.
    async fn health(&self, words: &[&str]) -> Output {
        let mut command = docket(&[&["health"], words].concat());
        command.env("DOCKET_LISTEN", self.address());
        self.certificates.shown_by(&mut command);
        command.output().await.unwrap()
    }

    /// Whether who believes only this certificate is answered.
    async fn is_shown(&self, client: &reqwest::Client) -> bool {
        client.get(format!("{}/health/live", self.platform.url)).send().await.is_ok()
    }
}

#[tokio::test]
async fn an_order_is_placed_over_tls_and_in_clear_text_nothing_is() {
    let shop = Shop::open(false).await;
    shop.platform.sell("cup", 5).await;
    let placed = shop.platform.place(&order("o1", "cup", "pm_ok")).await;
    assert_eq!(placed["status"], "confirmed", "{placed:#}");
    let request = "GET /v1/orders/o1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\n\r\n";
    let said = shop.said(request.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("tls_required"), "{said}");
    assert!(said.contains("connection: close") && !said.contains("confirmed"), "{said}");
    for noise in [&b"\x00\xff\x00\xff"[..], b"\x16\x03\x01\x00\x05hello", b"hello\n"] {
        let said = shop.said(noise).await;
        assert!(!said.contains("200 OK"), "{said}");
    }
    let output = shop.status(true, false).await;
    assert!(output.status.success(), "{}", text(&output));
    let output = shop.status(false, false).await;
    assert!(
        !output.status.success() && text(&output).contains("UnknownIssuer"),
        "{}",
        text(&output)
    );
    let output = shop.health(&[]).await;
    assert!(output.status.success(), "{}", text(&output));
    assert!(shop.platform.terminate().await.success());
    shop.data.verify().await;
}

#[tokio::test]
async fn where_a_certificate_is_asked_for_nobody_comes_in_without_one_that_is_taken() {
    let shop = Shop::open(true).await;
    shop.platform.sell("cup", 5).await;
    let output = shop.status(true, true).await;
    assert!(output.status.success(), "{}", text(&output));
    let output = shop.status(true, false).await;
    assert!(!output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("DOCKET_CLIENT_CERT_FILE"), "{}", text(&output));
    // It has no other certificate to show than its own.
    for words in [&[][..], &["--live"]] {
        let output = shop.health(words).await;
        assert!(output.status.success(), "{}", text(&output));
    }
    shop.certificates.sign("expired", Usage::Expired);
    shop.certificates.sign("server-only", Usage::Server);
    for wrong in [None, Some("expired"), Some("server-only")] {
        let client = shop.certificates.client(wrong, None);
        assert!(!shop.is_shown(&client).await, "{wrong:?}");
    }
    let stranger = Authority::new("a test").unwrap().sign(&["localhost"], Usage::Both).unwrap();
    let files = ["stranger.pem", "stranger.key"].map(|name| shop.certificates.file(name));
    stranger.write(&files[0], &files[1]).unwrap();
    assert!(!shop.is_shown(&shop.certificates.client(Some("stranger"), None)).await);
    assert!(shop.is_shown(&shop.certificates.client(Some("client"), None)).await);
    let metrics = shop.platform.text("/metrics").await;
    for outcome in ["done", "no_certificate", "certificate_refused"] {
        let line = format!("http_server_tls_handshakes_total{{outcome=\"{outcome}\"}}");
        assert!(metrics.contains(&line), "{outcome}: {metrics}");
    }
    assert!(shop.platform.terminate().await.success());
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_never() {
    let shop = Shop::open(false).await;
    let shown_now = || async {
        let certificate = std::fs::read(shop.certificates.file("server.pem")).unwrap();
        let only = reqwest::Certificate::from_pem(&certificate).unwrap();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([only]).build().unwrap();
        shop.is_shown(&client).await
    };
    // Signed by itself, so that believing it is believing nothing else.
    let renewed = test_servers::self_signed(&["127.0.0.1"]).unwrap();
    let (certificate, key) =
        (shop.certificates.file("server.pem"), shop.certificates.file("server.key"));
    renewed.write(&certificate, &key).unwrap();
    let begun = Instant::now();
    while !shown_now().await {
        assert!(begun.elapsed() < PATIENCE, "it shows what it showed before");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let only = reqwest::Certificate::from_pem(renewed.certificate.as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([only]).build().unwrap();
    let platform = shop.platform.over(client.clone());
    // The year 4096.
    let ends =
        "docket_tls_certificate_expiry_timestamp_seconds{setting=\"tls_cert_file\"} 67090118400";
    let metrics = platform.text("/metrics").await;
    assert!(metrics.contains(ends), "{metrics}");
    std::fs::write(&key, "").unwrap();
    let broken = "docket_files_broken{setting=\"tls_cert_file\"} 1";
    while !platform.text("/metrics").await.contains(broken) {
        assert!(begun.elapsed() < PATIENCE, "it does not say that a file is broken");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Those of before are shown to who comes now.
    let fresh = reqwest::Certificate::from_pem(renewed.certificate.as_bytes()).unwrap();
    let fresh = reqwest::Client::builder().no_proxy().tls_certs_only([fresh]).build().unwrap();
    assert!(fresh.get(format!("{}/health/live", platform.url)).send().await.is_ok());
    std::fs::write(&key, &renewed.key).unwrap();
    while platform.text("/metrics").await.contains(broken) {
        assert!(begun.elapsed() < PATIENCE, "it does not say that the file is right again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_thousand_half_open_handshakes_hurt_nobody_and_do_not_hold_up_the_end() {
    let shop = Shop::open(false).await;
    shop.platform.sell("cup", 5).await;
    let hello = |n: usize| {
        let sent: &[u8] =
            [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"][n % 3];
        let address = shop.address().to_owned();
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(sent).await.unwrap();
            stream
        }
    };
    let half_open = join_all((0..HALF_OPEN).map(hello)).await;
    for n in 0..20 {
        // Each by a connection of its own: one that is there already would not show anything.
        let platform = Platform::at(&shop.platform.url).over(shop.certificates.client(None, None));
        let key = format!("receive-{n}");
        platform.post("/v1/stock/cup/receive", &key, &json!({ "quantity": 1 })).await.ok();
    }
    let begun = Instant::now();
    assert!(shop.platform.terminate().await.success());
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    drop(half_open);
    shop.data.verify().await;
}

#[tokio::test]
async fn settings_that_can_t_be_meant_end_the_start_and_are_named() {
    let (data, certificates) = (Data::new(), Certificates::new());
    certificates.sign("other", Usage::Both);
    std::fs::write(certificates.file("empty.pem"), "").unwrap();
    let file = |name: &str| certificates.file(name).display().to_string();
    let cases = [
        (vec![("CERT", "server.pem")], "tls_cert_file is set, and tls_key_file is not".to_owned()),
        (vec![("KEY", "server.key")], "tls_key_file is set, and tls_cert_file is not".to_owned()),
        (
            vec![("CLIENT_CA", "ca.pem")],
            "tls_client_ca_file is set, and tls_cert_file is not".to_owned(),
        ),
        (
            vec![("CERT", "server.pem"), ("KEY", "other.key")],
            format!("tls_key_file: {} is not the key", file("other.key")),
        ),
        (
            vec![("CERT", "empty.pem"), ("KEY", "server.key")],
            format!("tls_cert_file: {} has no certificate", file("empty.pem")),
        ),
        (
            vec![("CERT", "server.pem"), ("KEY", "empty.pem")],
            format!("tls_key_file: {} has no private key", file("empty.pem")),
        ),
        (
            vec![("CERT", "absent.pem"), ("KEY", "server.key")],
            format!("tls_cert_file: {} can't be read", file("absent.pem")),
        ),
        (
            vec![("CERT", "server.pem"), ("KEY", "server.key"), ("CLIENT_CA", "empty.pem")],
            format!("tls_client_ca_file: {} has no certificate", file("empty.pem")),
        ),
    ];
    for process in ["dev", "gateway", "payment-simulator"] {
        for (settings, said) in &cases {
            let mut command = docket(&[process, "--listen", "127.0.0.1:0"]);
            command.env("DOCKET_DATA_DIR", data.path());
            for (name, value) in settings {
                command.env(format!("DOCKET_TLS_{name}_FILE"), certificates.file(value));
            }
            let output = command.output().await.unwrap();
            assert_eq!(output.status.code(), Some(2), "{process}: {}", text(&output));
            assert!(text(&output).contains(said.as_str()), "{process}: {said}: {}", text(&output));
        }
    }
}

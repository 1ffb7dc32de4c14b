//! Requests that no HTTP library would write: answered with a clear refusal, or not at all, and the platform does not mind.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::platform::Platform;

/// Long enough for any machine; an answer that never comes is a test that fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// What comes back for these bytes: the status, if there is one. A client that breaks off closes its side then.
async fn sent(platform: &Platform, bytes: &[u8], breaks_off: bool) -> Option<u16> {
    let address = platform.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may be refused before all of it is written.
    drop(stream.write_all(bytes).await);
    if breaks_off {
        drop(stream.shutdown().await);
    }
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    drop(read.unwrap_or_else(|_| panic!("no end of the answer to {:?}", shown(bytes))));
    let text = String::from_utf8_lossy(&answer);
    let status = text.strip_prefix("HTTP/1.1 ")?.split(' ').next()?;
    Some(status.parse().unwrap())
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned()
}

/// A command that would be carried out, were it not for these headers.
fn receive(headers: &[u8]) -> Vec<u8> {
    let start =
        b"POST /v1/stock/teapot/receive HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    [start, headers, b"Connection: close\r\n\r\n{\"quantity\":1}"].concat()
}

fn without_host(request: Vec<u8>) -> Vec<u8> {
    String::from_utf8(request).unwrap().replace("Host: localhost\r\n", "").into_bytes()
}

#[tokio::test]
async fn bytes_that_are_no_request_are_refused_and_change_nothing() {
    let platform = Platform::fresh().await;
    platform.sell("teapot", 10).await;
    let before = platform.get("/v1/events?limit=1000").await.ok();
    let key: &[u8] = b"Idempotency-Key: k\r\n";
    let with = |headers: &[u8]| receive(&[key, headers].concat());
    let long = "x".repeat(500_000);
    let requests: Vec<(&str, Vec<u8>)> = vec![
        ("noise", vec![0xff; 10_000]),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        (
            "bytes that are no text in the path",
            b"GET /v1/orders/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        ),
        (
            "a path of half a megabyte",
            format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes(),
        ),
        ("a header of half a megabyte", with(format!("X-Long: {long}\r\n").as_bytes())),
        ("ten thousand headers", with("X-Many: 1\r\n".repeat(10_000).as_bytes())),
        ("a key that is no text", receive(b"Idempotency-Key: \xff\xfe\r\nContent-Length: 14\r\n")),
        ("a key with a zero", receive(b"Idempotency-Key: a\0b\r\nContent-Length: 14\r\n")),
        ("two keys", with(b"Idempotency-Key: other\r\nContent-Length: 14\r\n")),
        ("two types", with(b"Content-Type: text/plain\r\nContent-Length: 14\r\n")),
        ("two versions", with(b"If-Match: \"1\"\r\nIf-Match: \"2\"\r\nContent-Length: 14\r\n")),
        ("two hosts", with(b"Host: localhost\r\nContent-Length: 14\r\n")),
        ("no host", without_host(with(b"Content-Length: 14\r\n"))),
        ("two lengths", with(b"Content-Length: 14\r\nContent-Length: 15\r\n")),
        ("a length below 0", with(b"Content-Length: -1\r\n")),
        ("a length and chunks", with(b"Content-Length: 14\r\nTransfer-Encoding: chunked\r\n")),
        ("chunks that are none", with(b"Transfer-Encoding: chunked\r\n")),
        ("an encoding that nobody knows", with(b"Transfer-Encoding: gzip, chunked, chunked\r\n")),
        (
            "a header that goes on in the next line",
            with(b"X-Folded: a\r\n b\r\nContent-Length: 14\r\n"),
        ),
        ("a header without a name", with(b": 1\r\nContent-Length: 14\r\n")),
    ];
    for (what, bytes) in requests {
        let status = sent(&platform, &bytes, false).await;
        assert!(status.is_some_and(|status| (400..500).contains(&status)), "{what}: {status:?}");
    }
    for begun in [b"POST /v1/sto".to_vec(), with(b"Content-Length: 1000\r\n")] {
        let status = sent(&platform, &begun, true).await;
        // Who breaks off in the middle of a request may hear nothing.
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{status:?}");
    }
    let after = platform.get("/v1/events?limit=1000").await.ok();
    assert_eq!(before, after, "nothing is stored");
    assert_eq!(
        sent(&platform, &with(b"Content-Length: 14\r\n"), false).await,
        Some(200),
        "it is alive"
    );
}

/// Bodies of a mebibyte, and what they are answered with.
fn costly() -> Vec<(&'static str, String)> {
    let (long, half) = ("x".repeat(1_000_000), "x".repeat(500_000));
    vec![
        ("arrays in arrays", "[".repeat(1_000_000)),
        ("objects in objects", "{\"a\":".repeat(200_000)),
        ("a long id", json!({ "order_id": long }).to_string()),
        ("a long name of a member", json!({ (long.clone()): 1 }).to_string()),
        ("many members that nobody knows", format!("{{{}}}", vec!["\"a\":1"; 150_000].join(","))),
        (
            "many members below a long name",
            format!("{{\"{half}\":{{{}}}}}", vec!["\"a\":1"; 80_000].join(",")),
        ),
        (
            "many items below a long name",
            format!("{{\"{half}\":[{}]}}", vec!["1"; 240_000].join(",")),
        ),
        ("a number of a million digits", format!("{{\"order_id\":{}}}", "9".repeat(1_000_000))),
        (
            "a number beyond any",
            "{\"lines\":[{\"sku\":\"teapot\",\"quantity\":1e999999}]}".to_owned(),
        ),
        (
            "many lines",
            format!(
                "{{\"lines\":[{}]}}",
                vec!["{\"sku\":\"teapot\",\"quantity\":1}"; 30_000].join(",")
            ),
        ),
        ("many wrong lines", format!("{{\"lines\":[{}]}}", vec!["{\"sku\":1}"; 90_000].join(","))),
        ("half a surrogate", "{\"order_id\":\"\\ud800\"}".to_owned()),
    ]
}

#[tokio::test]
async fn bodies_that_cost_much_to_look_at_are_refused_in_short_and_change_nothing() {
    let platform = Platform::fresh().await;
    platform.sell("teapot", 10).await;
    let before = platform.get("/v1/events?limit=1000").await.ok();
    for (what, body) in costly() {
        let answer = platform.post_with("/v1/orders", &[("idempotency-key", "k")], body).await;
        assert_eq!(answer.problem(), (400, "invalid_body"), "{what}");
        let said = answer.body.to_string().len();
        assert!(said < 64 * 1024, "{what}: {said} bytes of answer");
        let errors = answer.body["errors"].as_array().map_or(0, Vec::len);
        assert!((1..=20).contains(&errors), "{what}: {errors}");
    }
    let after = platform.get("/v1/events?limit=1000").await.ok();
    assert_eq!(before, after, "nothing is stored");
    let live: Value = platform.get("/health/live").await.ok();
    assert_eq!(live["status"], "live");
}

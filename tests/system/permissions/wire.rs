//! A connection to NATS by its own words: what a server refuses stands between a line and the answer to the next question.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};
use test_servers::Nats;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

pub(super) struct Wire(BufReader<TcpStream>);

impl Wire {
    /// Logs in with this seed; the error is what the server says.
    pub(super) async fn log_in(nats: &Nats, seed: &Path) -> Result<Self, String> {
        let pair = KeyPair::from_seed(std::fs::read_to_string(seed).unwrap().trim()).unwrap();
        let mut wire = Self::connect(nats).await;
        let info: Value = {
            let line = wire.line().await;
            serde_json::from_str(line.strip_prefix("INFO ").unwrap()).unwrap()
        };
        let signature = pair.sign(info["nonce"].as_str().unwrap().as_bytes()).unwrap();
        let login = json!({
            "verbose": false, "pedantic": false, "lang": "test", "version": "1", "protocol": 1,
            "nkey": pair.public_key(), "sig": URL_SAFE_NO_PAD.encode(signature),
        });
        match &wire.refused(&format!("CONNECT {login}\r\n")).await[..] {
            [] => Ok(wire),
            [refused, ..] => Err(refused.clone()),
        }
    }

    /// Without a login.
    pub(super) async fn nobody(nats: &Nats) -> Vec<String> {
        let mut wire = Self::connect(nats).await;
        wire.line().await;
        wire.refused("CONNECT {\"verbose\":false,\"lang\":\"test\",\"version\":\"1\"}\r\n").await
    }

    async fn connect(nats: &Nats) -> Self {
        Self(BufReader::new(TcpStream::connect(("127.0.0.1", nats.port())).await.unwrap()))
    }

    /// Without its end; empty when the server closed the connection.
    pub(super) async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    pub(super) async fn say(&mut self, lines: &str) {
        self.0.get_mut().write_all(lines.as_bytes()).await.unwrap();
    }

    /// What the server refuses of these lines.
    pub(super) async fn refused(&mut self, lines: &str) -> Vec<String> {
        self.say(&format!("{lines}PING\r\n")).await;
        let mut refused = Vec::new();
        loop {
            let line = self.line().await;
            match line.strip_prefix("-ERR ") {
                Some(error) => refused.push(error.trim_matches('\'').to_owned()),
                None if line == "PONG" || line.is_empty() => return refused,
                None => {}
            }
        }
    }

    pub(super) async fn may_publish(&mut self, subject: &str) -> bool {
        self.may("Publish to", subject, &format!("PUB {subject} 0\r\n\r\n")).await
    }

    pub(super) async fn may_subscribe(&mut self, subject: &str) -> bool {
        self.may("Subscription to", subject, &format!("SUB {subject} 1\r\nUNSUB 1\r\n")).await
    }

    async fn may(&mut self, what: &str, subject: &str, lines: &str) -> bool {
        let refused = self.refused(lines).await;
        let words = format!("Permissions Violation for {what} \"{subject}\"");
        match &refused[..] {
            [] => true,
            [one] if *one == words => false,
            other => panic!("{subject}: {other:?}"),
        }
    }
}

//! When a nats-server writes what it says it has to disk. The protocol does not tell; its monitor does, over HTTP.

use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::trouble::Cause;

/// How long the monitor may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than any answer of it.
const MOST_BYTES: u64 = 1024 * 1024;

/// When messages are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncSetting {
    /// Before they are acknowledged.
    Always,
    /// So often; a power cut loses what was acknowledged since.
    Every(Duration),
    /// The server has no JetStream.
    NoJetStream,
}

#[derive(Deserialize)]
struct Variables {
    #[serde(default)]
    jetstream: JetStream,
}

#[derive(Default, Deserialize)]
struct JetStream {
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    sync_interval: u64,
    #[serde(default)]
    sync_always: bool,
}

/// Asks a server's monitor, such as `nats:8222`, and says in the log what that means.
pub async fn tell_sync_setting(monitor: &str) -> Option<SyncSetting> {
    let asked = tokio::time::timeout(PATIENCE, ask(monitor)).await;
    let setting = match asked.unwrap_or_else(|_| Err("it does not answer".into())) {
        Ok(setting) => setting,
        Err(error) => {
            tracing::warn!(monitor, %error, "when NATS writes to disk is not known");
            return None;
        }
    };
    match setting {
        SyncSetting::Always => {
            tracing::info!(monitor, "NATS has a message on disk before it says so");
        }
        SyncSetting::Every(interval) => tracing::warn!(
            monitor,
            seconds = interval.as_secs(),
            "NATS says that it has a message before the message is on disk: after a power cut the end of its streams may \
             be missing, and is filled from SQL; `sync_interval: always` avoids the work"
        ),
        SyncSetting::NoJetStream => {
            tracing::error!(
                monitor,
                "this nats-server has no JetStream: no event and no command is carried"
            );
        }
    }
    Some(setting)
}

async fn ask(monitor: &str) -> Result<SyncSetting, Cause> {
    let mut connection = TcpStream::connect(monitor).await?;
    connection.write_all(b"GET /varz HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    connection.take(MOST_BYTES).read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("its answer has no body")?;
    let variables: Variables = serde_json::from_str(body)?;
    Ok(match variables.jetstream.config {
        None => SyncSetting::NoJetStream,
        Some(Config { sync_always: true, .. }) => SyncSetting::Always,
        Some(config) => SyncSetting::Every(Duration::from_nanos(config.sync_interval)),
    })
}

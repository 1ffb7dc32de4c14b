//! Whether JetStream carries the events: asked for the health of a process, by the one question that the server or the leader of
//! the stream answers.
//!
//! **Invariant:** it says what an operator has to do something about. It changes nothing.

use async_nats::connection::State;
use async_nats::{Client, RequestErrorKind};
use serde::Deserialize;

use super::names::Names;

/// Why nothing is carried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCarried {
    /// There is no connection.
    #[error("NATS is not connected")]
    NotConnected,
    /// The server was started without it.
    #[error(
        "the nats-server has no JetStream: it needs `-js`, or `jetstream` in its configuration"
    )]
    NoJetStream,
    /// Nobody answers for the stream.
    #[error("JetStream does not answer: a cluster needs the majority of its servers")]
    Silent,
    /// The command-service makes it.
    #[error("there is no stream of events yet")]
    NoStream,
    /// What the server says.
    #[error("JetStream: {0}")]
    Refused(String),
}

#[derive(Deserialize)]
struct Answer {
    error: Option<Refusal>,
    cluster: Option<Cluster>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Cluster {
    #[serde(default)]
    leader: Option<String>,
}

/// "JetStream system temporarily unavailable": a cluster without a leader.
const CLUSTER_NOT_AVAILABLE: u64 = 10_008;
const STREAM_NOT_FOUND: u64 = 10_059;

/// Asks once. Whoever asks gives it its time: a server that lost its cluster may not answer at all.
pub async fn carries_events(client: &Client, names: &Names) -> Result<(), NotCarried> {
    if client.connection_state() != State::Connected {
        return Err(NotCarried::NotConnected);
    }
    let question = format!("$JS.API.STREAM.INFO.{}", names.events());
    let asked = client.request(question, Vec::new().into()).await;
    let answer = asked.map_err(|error| match error.kind() {
        RequestErrorKind::NoResponders => NotCarried::NoJetStream,
        RequestErrorKind::TimedOut => NotCarried::Silent,
        _ => NotCarried::NotConnected,
    })?;
    judge(&answer.payload)
}

fn judge(answer: &[u8]) -> Result<(), NotCarried> {
    let answer: Answer = serde_json::from_slice(answer)
        .map_err(|error| NotCarried::Refused(format!("an answer can't be read: {error}")))?;
    match (answer.error, answer.cluster) {
        (Some(Refusal { err_code: STREAM_NOT_FOUND, .. }), _) => Err(NotCarried::NoStream),
        // A single server is its own leader, and says so or nothing.
        (Some(Refusal { err_code: CLUSTER_NOT_AVAILABLE, .. }), _)
        | (None, Some(Cluster { leader: None })) => Err(NotCarried::Silent),
        (Some(Refusal { description, .. }), _) => Err(NotCarried::Refused(description)),
        (None, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_is_told_in_an_operator_s_words() {
        for (answer, expected) in [
            (r#"{"cluster":{"leader":"n1"}}"#, Ok(())),
            (r#"{"config":{}}"#, Ok(())),
            (r#"{"cluster":{}}"#, Err(NotCarried::Silent)),
            (r#"{"error":{"code":503,"err_code":10008}}"#, Err(NotCarried::Silent)),
            (r#"{"error":{"code":404,"err_code":10059}}"#, Err(NotCarried::NoStream)),
            (
                r#"{"error":{"err_code":10039,"description":"not enabled for account"}}"#,
                Err(NotCarried::Refused("not enabled for account".to_owned())),
            ),
        ] {
            assert_eq!(judge(answer.as_bytes()), expected, "{answer}");
        }
    }
}

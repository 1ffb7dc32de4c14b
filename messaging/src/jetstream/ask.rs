//! A question and its answer, as typed JSON over NATS: how services ask each other what is not in the events.
//!
//! Every process that serves a question answers it, and the first answer counts. One that changes something says by an id which it is, so
//! that it is done once whoever hears it.
//!
//! **Invariant:** whoever asks gets an answer or an error within the time it named; while NATS is known to be away, an error at once.

use std::time::Duration;

use async_nats::{Client, Message, RequestErrorKind};
use futures::StreamExt;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::connection;
use super::names::Names;
use super::trouble::Cause;

/// Questions that are answered at the same time.
const AT_ONCE: usize = 16;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No process serves this question.
    #[error("no service that could answer is there")]
    Nobody,
    /// Nobody answered in time.
    #[error("no answer came in time")]
    Silent,
    /// NATS can't be reached.
    #[error("the question can't be sent")]
    Unreachable(#[source] Cause),
    /// The service can't answer now, and says why.
    #[error("the service can't answer: {0}")]
    Refused(String),
    /// Question or answer are not what the other side expects.
    #[error("question and answer do not fit")]
    Misfit(#[source] serde_json::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer<A> {
    Answer(A),
    Refused(String),
}

/// Asks a service and waits at most `within`; not at all while the connection is lost.
pub async fn ask<Q, A>(
    client: &Client,
    names: &Names,
    service: &str,
    question: &Q,
    within: Duration,
) -> Result<A, AskError>
where
    Q: Serialize + Sync,
    A: DeserializeOwned,
{
    if connection::is_away(client) {
        return Err(AskError::Unreachable(connection::AWAY.into()));
    }
    let text = serde_json::to_vec(question).map_err(AskError::Misfit)?;
    let asked = client.request(names.ask(service), text.into());
    let answer = match tokio::time::timeout(within, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            return Err(match error.kind() {
                RequestErrorKind::NoResponders => AskError::Nobody,
                RequestErrorKind::TimedOut => AskError::Silent,
                _ => AskError::Unreachable(Box::new(error)),
            });
        }
        Err(_) => return Err(AskError::Silent),
    };
    match serde_json::from_slice(&answer.payload).map_err(AskError::Misfit)? {
        Answer::Answer(answer) => Ok(answer),
        Answer::Refused(why) => Err(AskError::Refused(why)),
    }
}

/// Answers a service's questions until it is stopped. A text as error goes to whoever asked: say nothing secret.
pub async fn serve<Q, A, H>(
    client: Client,
    names: Names,
    service: &str,
    handler: H,
    stop: CancellationToken,
) where
    Q: DeserializeOwned + Send,
    A: Serialize + Send,
    H: Fn(Q) -> BoxFuture<'static, Result<A, String>> + Send + Sync,
{
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    let (client, handler) = (&client, &handler);
    loop {
        let session = async {
            // In a group NATS would give each question to one of them, and that may be one that is paused and was replaced.
            let questions = client.subscribe(names.ask(service)).await;
            match questions {
                Ok(questions) => {
                    let answer = |question| answer(client, handler, question);
                    questions.for_each_concurrent(AT_ONCE, answer).await;
                }
                Err(error) => tracing::warn!(service, %error, "questions can't be heard now"),
            }
            tokio::time::sleep(backoff.next()).await;
        };
        if stop.run_until_cancelled(session).await.is_none() {
            return;
        }
    }
}

async fn answer<Q, A, H>(client: &Client, handler: &H, question: Message)
where
    Q: DeserializeOwned + Send,
    A: Serialize + Send,
    H: Fn(Q) -> BoxFuture<'static, Result<A, String>> + Send + Sync,
{
    let Some(asker) = question.reply else { return };
    let answered = match serde_json::from_slice(&question.payload) {
        Ok(question) => handler(question).await,
        Err(error) => Err(format!("the question can't be read: {error}")),
    };
    let answer = match answered {
        Ok(answer) => Answer::Answer(answer),
        Err(why) => Answer::Refused(why),
    };
    let sent = match serde_json::to_vec(&answer) {
        Ok(text) => client.publish(asker, text.into()).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = sent {
        tracing::warn!(error, "an answer can't be sent");
    }
}

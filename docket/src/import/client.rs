//! The platform over HTTP: commands that may be sent again, reads, and patience with both.
//!
//! A command whose answer got lost is sent again under the same `Idempotency-Key`, which is what makes that safe.
//! **Invariant:** only an answer that the platform can't change by waiting (2xx, or a 4xx other than 409 and 429)
//! leaves this module; everything else is tried again until the patience ends.

use std::future::Future;
use std::time::Duration;

use anyhow::{anyhow, bail};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::base_url;

/// How long things are tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The pause after the first failure; it doubles.
    pub(crate) first_pause: Duration,
    /// The pause before a read model is looked at for what was just confirmed.
    pub(crate) first_look: Duration,
    /// The longest pause.
    pub(crate) longest_pause: Duration,
    /// How long a platform that answered before may be away.
    pub(crate) away: Duration,
    /// How long a platform may take to answer for the first time.
    pub(crate) arrival: Duration,
    /// How long an accepted order or return may take until it is done.
    pub(crate) completion: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(4),
            first_look: Duration::from_millis(20),
            longest_pause: Duration::from_secs(1),
            away: Duration::from_mins(1),
            arrival: Duration::from_secs(3),
            completion: Duration::from_mins(10),
        }
    }
}

impl Patience {
    /// The pause that follows this one.
    fn after(&self, pause: Duration) -> Duration {
        (pause * 2).min(self.longest_pause)
    }
}

/// What the platform said to a command or a read.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Value,
}

impl Answer {
    /// The body of a 2xx; what was refused, in the platform's words, otherwise.
    pub(crate) fn accepted(self, what: &str) -> anyhow::Result<Value> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let text = |field: &str| {
            self.body.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        bail!(
            "{what} was answered {} {}: {} {}",
            self.status.as_u16(),
            text("code"),
            text("title"),
            text("detail")
        )
    }

    /// The code of a refusal: a 422, or that something is not found.
    pub(crate) fn refusal(&self) -> Option<&str> {
        let refused =
            matches!(self.status, StatusCode::UNPROCESSABLE_ENTITY | StatusCode::NOT_FOUND);
        refused.then(|| self.body.get("code").and_then(Value::as_str).unwrap_or("unnamed"))
    }
}

/// A client of one platform.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    /// How long this client tries.
    pub(crate) patience: Patience,
}

impl Client {
    /// A client for the platform at `url`, which need not be there yet.
    pub(crate) fn new(url: &str, patience: Patience) -> anyhow::Result<Self> {
        let base = base_url(url).map_err(|wrong| anyhow!("`{url}` {wrong}"))?;
        // An answer may take the 30 s that a placing order waits, and then some.
        let http =
            reqwest::Client::builder().timeout(Duration::from_mins(1)).tcp_nodelay(true).build()?;
        Ok(Self { http, base, patience })
    }

    /// Waits until the platform says that it is ready.
    pub(crate) async fn wait_until_ready(&self) -> anyhow::Result<()> {
        self.send(self.patience.arrival, || self.http.get(format!("{}/health/ready", self.base)))
            .await?;
        Ok(())
    }

    /// Sends a command, again and again with the same key until it is answered.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(self.patience.away, || self.command(path, key, body)).await
    }

    /// Sends a command and asks that its answer waits for the outcome.
    pub(crate) async fn post_and_wait(
        &self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<Answer> {
        self.send(self.patience.away, || self.command(path, key, body).header("prefer", "wait=30"))
            .await
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.patience.away, || self.http.get(format!("{}{path}", self.base))).await
    }

    /// Gives the platform the time that it needs at least before a read model can show what was just confirmed.
    pub(crate) async fn leave_time(&self) {
        sleep(self.patience.first_look).await;
    }

    /// Asks until `probe` finds what it looks for, with growing pauses.
    pub(crate) async fn until<T, F>(
        &self,
        what: &str,
        mut probe: impl FnMut() -> F,
    ) -> anyhow::Result<T>
    where
        F: Future<Output = anyhow::Result<Option<T>>>,
    {
        let started = Instant::now();
        let mut pause = self.patience.first_pause;
        loop {
            if let Some(found) = probe().await? {
                return Ok(found);
            }
            if started.elapsed() >= self.patience.completion {
                let waited = self.patience.completion.as_secs();
                bail!(
                    "{what} has not come to its end in {waited} s; look at it, then run the import again to go on"
                );
            }
            sleep(pause).await;
            pause = self.patience.after(pause);
        }
    }

    fn command(&self, path: &str, key: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base)).header("idempotency-key", key).json(body)
    }

    async fn send(
        &self,
        within: Duration,
        request: impl Fn() -> RequestBuilder,
    ) -> anyhow::Result<Answer> {
        let started = Instant::now();
        let mut pause = self.patience.first_pause;
        loop {
            let failure = match request().send().await {
                Ok(response) if !is_passing(response.status()) => match read(response).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => Failure { asked: None, error: error.into() },
                },
                Ok(response) => Failure::of(&response),
                Err(error) => Failure { asked: None, error: error.into() },
            };
            if started.elapsed() >= within {
                let seconds = within.as_secs();
                let told = format!(
                    "the platform at {} can't be reached (tried for {seconds} s)",
                    self.base
                );
                return Err(failure.error.context(told));
            }
            let asked = failure.asked.unwrap_or_default().min(self.patience.away);
            sleep(pause.max(asked)).await;
            pause = self.patience.after(pause);
        }
    }
}

/// One try that did not work, and how long the platform asked to be left alone.
struct Failure {
    asked: Option<Duration>,
    error: anyhow::Error,
}

impl Failure {
    fn of(response: &Response) -> Self {
        let asked = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let error = anyhow::anyhow!("it answered {}", response.status());
        Self { asked: asked.map(Duration::from_secs), error }
    }
}

/// Answers that another try may better: busy, limited, the key still at work, or something broken.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT | StatusCode::REQUEST_TIMEOUT
        )
}

async fn read(response: Response) -> reqwest::Result<Answer> {
    let status = response.status();
    let bytes = response.bytes().await?;
    // A body that is no JSON says nothing that is used here; the status does.
    Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}

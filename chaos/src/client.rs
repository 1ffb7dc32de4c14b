//! A client of the platform's HTTP API. An answer that does not come is an error here, never a refusal.

use std::time::Duration;

use anyhow::{Result, bail};
use reqwest::ClientBuilder;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::Value;

use crate::awake::Awake;
use crate::patience::patience;
use crate::tokens::tokens;

/// What a client waits for an answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long a connection is kept that is not used: those of the harness are not what a process holds on to.
pub(crate) const KEPT_CONNECTION: Duration = Duration::from_secs(5);

/// A client of one address.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    url: String,
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    /// Null when it is no JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Client {
    pub(crate) fn new(url: &str) -> Result<Self> {
        Self::with_deadline(url, DEADLINE)
    }

    pub(crate) fn with_deadline(url: &str, deadline: Duration) -> Result<Self> {
        Self::with(url, deadline, shown(own_token())?)
    }

    /// One that makes a connection for every question, to be asked [`at`](Self::at) some address.
    pub(crate) fn connecting_anew(deadline: Duration) -> Result<Self> {
        let http = builder(deadline, shown(own_token())?).pool_max_idle_per_host(0).build()?;
        Ok(Self { url: String::new(), http })
    }

    /// One of somebody with another token than the harness' own.
    pub(crate) fn showing(url: &str, token: &str, deadline: Duration) -> Result<Self> {
        Self::with(url, deadline, shown(Some(token))?)
    }

    /// The same client of another address: to make one takes long, because of what TLS needs.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), http: self.http.clone() }
    }

    fn with(url: &str, deadline: Duration, shown: HeaderMap) -> Result<Self> {
        let http = builder(deadline, shown).pool_idle_timeout(KEPT_CONNECTION).build()?;
        Ok(Self { url: url.to_owned(), http })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        answer(self.http.get(format!("{}{path}", self.url)).send().await?).await
    }

    /// What is no JSON.
    pub(crate) async fn text(&self, path: &str) -> Result<String> {
        Ok(self.http.get(format!("{}{path}", self.url)).send().await?.text().await?)
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/json");
        let request = request.header("idempotency-key", key).body(body.to_string());
        answer(request.send().await?).await
    }

    /// Reads until what is read is as it must become.
    pub(crate) async fn until(&self, path: &str, there: impl Fn(&Value) -> bool) -> Result<Value> {
        let begun = Awake::now();
        loop {
            let read = self.get(path).await;
            if let Ok(answer) = &read
                && answer.is_ok()
                && there(&answer.body)
            {
                return Ok(answer.body.clone());
            }
            if begun.elapsed() > patience() {
                bail!("liveness: {path} stayed {}", brief(&read));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What a process says of itself.
    pub(crate) async fn health(&self) -> Option<Value> {
        Some(self.get("/health/ready").await.ok()?.body)
    }

    /// The same in a word.
    pub(crate) async fn status(&self) -> Option<String> {
        self.health().await?["status"].as_str().map(str::to_owned)
    }

    /// Waits until a process says this of itself.
    pub(crate) async fn until_status(&self, status: &str) -> Result<()> {
        let begun = Awake::now();
        loop {
            let read = self.get("/health/ready").await;
            if read.as_ref().is_ok_and(|answer| answer.body["status"] == status) {
                return Ok(());
            }
            if begun.elapsed() > patience() {
                bail!("liveness: it does not become {status}, but stays {}", brief(&read));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks under a key until it is done.
    pub(crate) async fn until_done(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        let begun = Awake::now();
        loop {
            let asked = self.post(path, key, body).await;
            if let Ok(answer) = asked {
                if answer.is_ok() {
                    return Ok(answer);
                }
                // Asking again mends no request that is wrong.
                let is_wrong = answer.status == 400;
                if is_wrong || begun.elapsed() > patience() {
                    bail!("liveness: {path} is still answered {}: {}", answer.status, answer.body);
                }
            } else if begun.elapsed() > patience() {
                bail!("liveness: {path} is not answered");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn builder(deadline: Duration, shown: HeaderMap) -> ClientBuilder {
    reqwest::Client::builder().no_proxy().timeout(deadline).default_headers(shown)
}

fn own_token() -> Option<&'static str> {
    tokens().map(|tokens| tokens.token.as_str())
}

/// What tells who asks.
fn shown(token: Option<&str>) -> Result<HeaderMap> {
    let shown = token.map(|token| Ok((AUTHORIZATION, format!("Bearer {token}").parse()?)));
    shown.into_iter().collect()
}

fn brief(read: &Result<Answer>) -> String {
    let mut text = match read {
        Ok(answer) => format!("{} {}", answer.status, answer.body),
        Err(error) => format!("{error:#}"),
    };
    if let Some((cut, _)) = text.char_indices().nth(600) {
        text.truncate(cut);
    }
    text
}

async fn answer(response: reqwest::Response) -> Result<Answer> {
    let status = response.status().as_u16();
    let replayed =
        response.headers().get("idempotency-replayed").is_some_and(|value| value == "true");
    let body = response.bytes().await?;
    Ok(Answer { status, replayed, body: serde_json::from_slice(&body).unwrap_or_default() })
}

//! The platform over HTTP: commands that may be sent again, reads, and patience with both.
//!
//! A command whose answer got lost is sent again under the same `Idempotency-Key`, which is what makes that safe.
//! **Invariant:** only an answer that the platform can't change by waiting (2xx, or a 4xx other than 409 and 429)
//! leaves this module; everything else is tried again until the patience ends.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{anyhow, bail};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::{base_url, segment, why};
use crate::connect::{ConnectArgs, Http};

/// How long the last try may take: longer than a placing order waits for its outcome.
const LAST_TRY: Duration = Duration::from_secs(35);
/// Where the platform says which position an answer shows.
const POSITION: header::HeaderName = service_kit::position::HEADER;

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
    /// How long nothing may come to its end before it is said.
    pub(crate) standstill: Duration,
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
            standstill: Duration::from_secs(10),
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
    position: Option<String>,
    body: Value,
}

impl Answer {
    /// The body of a 2xx; what was refused, in the platform's words, otherwise.
    pub(crate) fn accepted(self, what: &str) -> anyhow::Result<Value> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let text = |field: &str| self.body.get(field).and_then(Value::as_str);
        let words = text("detail").or_else(|| text("title")).unwrap_or("it says nothing more");
        let code = text("code").unwrap_or("no code of ours");
        bail!("{what} was refused: {words} ({}, {code})", self.status.as_u16())
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
    http: Http,
    base: String,
    /// How long this client tries.
    pub(crate) patience: Patience,
    /// Where the platform's log ended when the import began.
    began: Arc<OnceLock<String>>,
    /// How many orders and returns are waited for now.
    waiting: Arc<AtomicUsize>,
}

/// One that is waited for.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Client {
    /// A client for the platform at `url`, which need not be there yet.
    pub(crate) fn new(
        url: &str,
        connect: &ConnectArgs,
        patience: Patience,
    ) -> anyhow::Result<Self> {
        let base = base_url(url).map_err(|wrong| anyhow!("`{url}` {wrong}"))?;
        // An answer may take the 30 s that a placing order waits, and then some.
        let http =
            Http::new(connect, |client| client.timeout(Duration::from_mins(1)).tcp_nodelay(true))?;
        Ok(Self { http, base, patience, began: Arc::default(), waiting: Arc::default() })
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.base
    }

    /// Waits until the platform says that it is ready, and notes where its log ends.
    pub(crate) async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let arrival = self.patience.arrival;
        let ready = self.send(arrival, || self.http.get(format!("{}/health/ready", self.base)));
        ready.await.map_err(|given_up| {
            let (url, seconds, why) = (&self.base, arrival.as_secs(), given_up.why);
            anyhow!(
                "no platform is ready at {url} ({why}, tried for {seconds} s): start one with `docket`, or name another with --url"
            )
        })?;
        if let Some(position) = self.get("/v1/events?limit=1").await?.position {
            // Of two runs of one client the first position holds.
            drop(self.began.set(position));
        }
        Ok(())
    }

    /// Whether the platform answers right now.
    pub(crate) async fn answers(&self, within: Duration) -> bool {
        let live = self.http.get(format!("{}/health/live", self.base)).timeout(within);
        live.send().await.is_ok()
    }

    /// How many orders and returns wait for the platform to bring them to their end.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// What the platform says of its parts that don't work; none when it does not say right now.
    pub(crate) async fn troubles(&self, within: Duration) -> Option<Vec<String>> {
        let ready = self.http.get(format!("{}/health/ready", self.base)).timeout(within);
        let said: Value = ready.send().await.ok()?.json().await.ok()?;
        let parts = said.get("parts")?.as_object()?.iter();
        let troubles = parts.filter(|(_, state)| **state != "up");
        let words = troubles.map(|(part, state)| {
            format!(
                "{part}: {}",
                state.as_str().unwrap_or_default().trim_start_matches("degraded: ")
            )
        });
        Some(words.collect())
    }

    /// The same path, for a read model that has to have read what was there when the import began.
    pub(crate) fn since_begin(&self, path: &str) -> String {
        let joint = if path.contains('?') { '&' } else { '?' };
        match self.began.get() {
            Some(position) => format!("{path}{joint}min_position={}", segment(position)),
            None => path.to_owned(),
        }
    }

    /// Reads a list, page by page.
    pub(crate) async fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut page = path.to_owned();
        loop {
            let mut body = self.get(&page).await?.accepted(path)?;
            if let Some(Value::Array(found)) = body.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            let Some(next) = body.get("next").and_then(Value::as_str) else { return Ok(items) };
            page = format!("{path}{joint}cursor={}", segment(next));
        }
    }

    /// Sends a command, again and again with the same key until it is answered.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<Answer> {
        self.patiently(|| self.command(path, key, body)).await
    }

    /// Sends a command and asks that its answer waits for the outcome.
    pub(crate) async fn post_and_wait(
        &self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<Answer> {
        let _waiting = Waiting::begin(&self.waiting);
        self.patiently(|| self.command(path, key, body).header("prefer", "wait=30")).await
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.patiently(|| self.http.get(format!("{}{path}", self.base))).await
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
        let _waiting = Waiting::begin(&self.waiting);
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

    /// Tries as long as a platform may be away that answered before.
    async fn patiently(&self, request: impl Fn() -> RequestBuilder) -> anyhow::Result<Answer> {
        let away = self.patience.away;
        self.send(away, request).await.map_err(|given_up| {
            let (url, seconds, why) = (&self.base, away.as_secs(), given_up.why);
            anyhow!(
                "the platform at {url} has not answered for {seconds} s ({why}), so the import stops here. When it is back, \
                 run the same command again: it goes on where it stopped, nothing is done twice"
            )
        })
    }

    async fn send(
        &self,
        within: Duration,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Answer, Failure> {
        let (mut failing, mut last_try) = (None, false);
        let mut pause = self.patience.first_pause;
        loop {
            let started = Instant::now();
            let request = request();
            let request = if last_try { request.timeout(LAST_TRY) } else { request };
            let failure = match request.send().await {
                Ok(response) if !is_passing(response.status()) => match read(response).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => Failure::from(error),
                },
                Ok(response) => Failure::of(&response),
                Err(error) => Failure::from(error),
            };
            // What was under way when the platform went away may have been for long; what got no answer at all tells of
            // the whole time that it waited.
            let since = if failure.hung { started } else { Instant::now() };
            let overdue = failing.get_or_insert(since).elapsed() >= within;
            if overdue && last_try {
                return Err(failure);
            }
            // When it was us who stood still, on a machine that was stopped, the platform answers now.
            last_try = overdue;
            let asked = failure.asked.unwrap_or_default().min(self.patience.away);
            sleep(pause.max(asked)).await;
            pause = self.patience.after(pause);
        }
    }
}

/// One try that did not work, and how long the platform asked to be left alone.
struct Failure {
    asked: Option<Duration>,
    hung: bool,
    /// What came instead of an answer, in a few words.
    why: String,
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self { asked: None, hung: error.is_timeout(), why: why(&error) }
    }
}

impl Failure {
    fn of(response: &Response) -> Self {
        let asked = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let why = format!("it answered {}", response.status());
        Self { asked: asked.map(Duration::from_secs), hung: false, why }
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
    let position = response.headers().get(POSITION).and_then(|value| value.to_str().ok());
    let position = position.map(str::to_owned);
    let bytes = response.bytes().await?;
    // A body that is no JSON says nothing that is used here; the status does.
    Ok(Answer { status, position, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}

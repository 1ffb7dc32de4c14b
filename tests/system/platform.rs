//! A running platform: the real binary on a free port, over a folder that outlives it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a test waits for what must come; machines that build at the same time are slow.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// The folder of a platform's data.
pub(crate) struct Data(TempDir);

impl Data {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs `docket` with these words and `--data-dir`.
    pub(crate) async fn docket(&self, words: &[&str]) -> Output {
        docket(words).arg("--data-dir").arg(self.path()).output().await.unwrap()
    }

    /// `docket verify` finds nothing.
    pub(crate) async fn verify(&self) {
        let output = self.docket(&["verify"]).await;
        assert!(output.status.success(), "{}", text(&output));
    }

    /// What `docket digest` prints.
    pub(crate) async fn digest(&self) -> String {
        let output = self.docket(&["digest"]).await;
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The binary under test, with these words.
pub(crate) fn docket(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
    command.args(words).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// All that a process printed.
pub(crate) fn text(output: &Output) -> String {
    let part = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, part(&output.stdout), part(&output.stderr))
}

/// The example day, as it lies in the repository.
pub(crate) fn example_day() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/online-retail/2010-12-01.csv")
}

/// A running platform.
pub(crate) struct Platform {
    /// `http://host:port`.
    pub(crate) url: String,
    client: Client,
    /// `None` when somebody else holds it.
    process: Option<Child>,
    /// Its folder, if nobody else keeps it.
    own: Option<Data>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body; null when it is no JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// The body of an answer that must be a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.body
    }

    /// The text of a header; empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A problem's status and code.
    pub(crate) fn problem(&self) -> (u16, &str) {
        let kind = self.header("content-type");
        assert_eq!(kind, "application/problem+json", "{self:?}");
        assert!(self.body["request_id"].is_string(), "{self:?}");
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default())
    }
}

impl Platform {
    /// Starts one over an empty folder that lives as long as it.
    pub(crate) async fn fresh() -> Self {
        let data = Data::new();
        let mut platform = Self::start(&data).await;
        platform.own = Some(data);
        platform
    }

    /// Starts one over this folder, with short deadlines.
    pub(crate) async fn start(data: &Data) -> Self {
        let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(data.path()).env("DOCKET_PAYMENT_DEADLINE_MS", "300");
        let platform = Self::of(command).await;
        assert_eq!(platform.get("/health/ready").await.status, StatusCode::OK);
        platform
    }

    /// Starts a process that says where it listens.
    pub(crate) async fn of(command: Command) -> Self {
        Self::try_of(command).await.expect("the platform says where it is")
    }

    /// Starts a process; `None` when it ends without having said where it listens.
    pub(crate) async fn try_of(mut command: Command) -> Option<Self> {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap()?;
            if let Some(address) = line.split([' ', '"']).find(|word| is_address(word)) {
                break address.to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self { process: Some(process), ..Self::at(&url) })
    }

    /// One whose process somebody else holds.
    pub(crate) fn at(url: &str) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        Self { url: url.to_owned(), client, process: None, own: None }
    }

    /// The same, asked with this token from now on.
    pub(crate) fn bearing(self, token: &str) -> Self {
        let value = format!("Bearer {token}").parse().unwrap();
        let headers = HeaderMap::from_iter([(reqwest::header::AUTHORIZATION, value)]);
        let client = Client::builder().no_proxy().default_headers(headers).build().unwrap();
        Self { client, ..self }
    }

    /// The same, asked by this client from now on.
    pub(crate) fn over(self, client: Client) -> Self {
        Self { client, ..self }
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id().unwrap()
    }

    /// `GET`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let response = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        answer(response).await
    }

    /// `GET` with any headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send().await.unwrap()).await
    }

    /// `GET` of what is no JSON.
    pub(crate) async fn text(&self, path: &str) -> String {
        let response = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        response.text().await.unwrap()
    }

    /// `POST` of a command under a key.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.post_with(path, &[("idempotency-key", key)], body.to_string()).await
    }

    /// `POST` of anything, with any headers.
    pub(crate) async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self
            .client
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.body(body).send().await.unwrap()).await
    }

    /// `DELETE`, with any headers.
    pub(crate) async fn delete_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.delete(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send().await.unwrap()).await
    }

    /// Reads until what is read is as it must become.
    pub(crate) async fn until(&self, path: &str, there: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let body = self.get(path).await.body;
            if there(&body) {
                return body;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} stayed {body:#}");
        }
    }

    /// Waits until every read model has read all, and no saga has anything due.
    pub(crate) async fn settle(&self) {
        let empty = |list: &Value| list["items"].as_array().is_some_and(Vec::is_empty);
        self.until("/v1/sagas?state=running", empty).await;
        let same = |model: &Value| model["position"] == model["head"];
        let all = |list: &Value| list["items"].as_array().is_some_and(|list| list.iter().all(same));
        self.until("/v1/projections", all).await;
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn until_ready(&self) {
        self.until("/health/ready", |health| health["status"] == "ready").await;
    }

    /// Waits until it says that every part of it is up: a gateway is ready already when it takes commands.
    pub(crate) async fn until_whole(&self) {
        let whole = |health: &Value| {
            let mut parts = health["parts"].as_object().into_iter().flatten();
            health["status"] == "ready" && parts.all(|(_, state)| state == "up")
        };
        self.until("/health/ready", whole).await;
    }

    /// Waits until another process is active in its place; a keeper of containers finds it sound.
    pub(crate) async fn until_it_stands_by(&self) {
        self.until("/health/ready", |health| health["status"] == "standby").await;
        let output = docket(&["health", &self.url]).output().await.unwrap();
        assert!(output.status.success(), "{}", text(&output));
        assert!(text(&output).contains("is standing by"), "{}", text(&output));
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.kill_and_keep().await;
    }

    /// `kill -9`; what follows is refused at its address.
    pub(crate) async fn kill_and_keep(&mut self) {
        self.process.as_mut().unwrap().kill().await.unwrap();
    }

    /// SIGTERM; returns how it ended.
    pub(crate) async fn terminate(self) -> std::process::ExitStatus {
        self.signal("-TERM").await;
        self.ended().await
    }

    /// Sends a signal, such as `-STOP`.
    pub(crate) async fn signal(&self, signal: &str) {
        let pid = self.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
    }

    /// Waits until it has ended; returns how.
    pub(crate) async fn ended(mut self) -> std::process::ExitStatus {
        let mut process = self.process.take().unwrap();
        tokio::time::timeout(PATIENCE, process.wait()).await.expect("it ends").unwrap()
    }
}

fn is_address(word: &str) -> bool {
    word.starts_with("http://") || word.starts_with("https://")
}

async fn answer(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    // One that goes on for ever is not read.
    if headers.get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        return Answer { status, headers, body: Value::Null };
    }
    let body = response.bytes().await.unwrap();
    Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
}

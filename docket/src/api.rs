//! A running platform, asked once: no retries, because whoever looks at it wants to know how it is now.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::{Response, StatusCode, Url};
use serde_json::Value;

/// Where a platform is, unless told otherwise.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running platform.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    base: String,
}

impl Api {
    /// The platform at this address, whether it answers or not.
    pub(crate) fn at(url: &str) -> Result<Self> {
        let parsed = Url::parse(url).with_context(|| format!("`{url}` is not a URL"))?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            bail!("`{url}` is not a URL like {DEFAULT_URL}");
        }
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { http, base: url.trim_end_matches('/').to_owned() })
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.base
    }

    /// True when something answers there as Docket does.
    pub(crate) async fn answers(&self) -> bool {
        let path = format!("{}/health/live", self.base);
        let answer = self.http.get(path).timeout(Duration::from_secs(2)).send().await;
        let body = match answer {
            Ok(response) => response.json::<Value>().await.unwrap_or_default(),
            Err(_) => Value::Null,
        };
        body["status"] == "live"
    }

    /// Whether it is ready, and what its parts say.
    pub(crate) async fn ready(&self) -> Result<(bool, Value)> {
        let response = self.send(self.http.get(format!("{}/health/ready", self.base))).await?;
        Ok((response.status() == StatusCode::OK, response.json().await.unwrap_or_default()))
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let response = self.send(self.http.get(format!("{}{path}", self.base))).await?;
        body(path, response).await
    }

    /// Commands, once.
    pub(crate) async fn post(&self, path: &str, key: &str) -> Result<Value> {
        let request = self.http.post(format!("{}{path}", self.base));
        let response = self.send(request.header("idempotency-key", key)).await?;
        body(path, response).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response> {
        request.send().await.with_context(|| format!("no platform answers at {}", self.base))
    }
}

async fn body(path: &str, response: Response) -> Result<Value> {
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    let text = |member: &str| body[member].as_str().unwrap_or_default();
    bail!("{path} was answered {status}: {} {}", text("title"), text("detail"))
}

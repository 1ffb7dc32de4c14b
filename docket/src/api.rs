//! A running platform, asked once: no retries, because whoever looks at it wants to know how it is now.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use reqwest::{Response, StatusCode, Url};
use serde_json::Value;
use service_kit::tls::ServerTlsFiles;

use crate::connect::{ConnectArgs, Http, TOKEN};

/// Where a platform is, unless told otherwise.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A list that was read.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) items: Vec<Value>,
    /// Why it may be older than the log is, where it says so.
    pub(crate) stale: Option<String>,
}

/// A running platform.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    http: Http,
    base: String,
    /// Who acts, where it is an operator.
    actor: Option<String>,
}

impl Api {
    /// The platform at this address, whether it answers or not.
    pub(crate) fn at(url: &str, connect: &ConnectArgs) -> Result<Self> {
        let base = base_url(url).map_err(|wrong| anyhow!("`{url}` {wrong}"))?;
        let http = Http::new(connect, |client| client.timeout(PATIENCE))?;
        Ok(Self { http, base, actor: None })
    }

    /// A process of this machine at this address, known by the certificate that it shows.
    pub(crate) fn own(url: &str, shows: ServerTlsFiles, connect: &ConnectArgs) -> Result<Self> {
        let http = Http::for_own(shows, connect, |client| client.no_proxy().timeout(PATIENCE))?;
        Ok(Self { http, base: url.to_owned(), actor: None })
    }

    /// Says with every command who acts: this one, or the user of this session.
    pub(crate) fn acting_as(mut self, named: Option<String>) -> Self {
        let user = || std::env::var("USER").ok().and_then(|user| actor_name(&user).ok());
        self.actor = named.or_else(user);
        self
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

    /// Whether it says that it lives.
    pub(crate) async fn live(&self) -> Result<bool> {
        let response = self.send(self.http.get(format!("{}/health/live", self.base))).await?;
        Ok(response.status() == StatusCode::OK)
    }

    /// Whether it is ready, and what its parts say.
    pub(crate) async fn ready(&self) -> Result<(bool, Value)> {
        let response = self.send(self.http.get(format!("{}/health/ready", self.base))).await?;
        Ok((response.status() == StatusCode::OK, response.json().await.unwrap_or_default()))
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        body(self.send(self.http.get(format!("{}{path}", self.base))).await?).await
    }

    /// Reads every page of a list; the path has a query already.
    pub(crate) async fn every(&self, path: &str) -> Result<Listed> {
        let mut page = self.get(path).await?;
        let mut listed = Listed { items: Vec::new(), stale: None };
        loop {
            listed.items.extend(page["items"].as_array().into_iter().flatten().cloned());
            listed.stale = listed.stale.or_else(|| stale(&page));
            let Some(cursor) = page["next"].as_str() else { return Ok(listed) };
            page = self.get(&format!("{path}&cursor={}", segment(cursor))).await?;
        }
    }

    /// Commands, once.
    pub(crate) async fn post_json(&self, path: &str, key: &str, json: &Value) -> Result<Value> {
        let request = self.http.post(format!("{}{path}", self.base)).json(json);
        body(self.send(self.named(request, key)).await?).await
    }

    /// Takes away, once.
    pub(crate) async fn delete(&self, path: &str, key: &str) -> Result<Value> {
        let request = self.http.delete(format!("{}{path}", self.base));
        body(self.send(self.named(request, key)).await?).await
    }

    fn named(&self, request: reqwest::RequestBuilder, key: &str) -> reqwest::RequestBuilder {
        let request = request.header("idempotency-key", key);
        match &self.actor {
            Some(actor) => request.header("docket-actor", actor),
            None => request,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response> {
        request.send().await.map_err(|error| self.no_answer(&error))
    }

    /// Says why there is none, and what helps. Who asks for a certificate ends the connection after it was made: then
    /// either the reason is heard first or the end.
    fn no_answer(&self, error: &reqwest::Error) -> anyhow::Error {
        let (base, why) = (&self.base, why(error));
        let ended = causes(error).any(is_end) || why.contains("CertificateRequired");
        if ended && base.starts_with("https:") && !self.http.shows_certificate() {
            return anyhow!(
                "{base} ended the connection without an answer ({why}): it may ask for a certificate, which DOCKET_CLIENT_CERT_FILE and DOCKET_CLIENT_KEY_FILE name"
            );
        }
        anyhow!(
            "no platform answers at {base} ({why}): start one with `docket`, or name the address of one that runs"
        )
    }
}

async fn body(response: Response) -> Result<Value> {
    let (status, url) = (response.status(), response.url().to_string());
    let body: Value = response.json().await.unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    let text = |member: &str| body[member].as_str();
    let words = text("detail").or_else(|| text("title")).unwrap_or("it says nothing more");
    let code = text("code").unwrap_or("no code of ours");
    if status == StatusCode::UNAUTHORIZED {
        bail!("{words} (401, {code}, from {url}); {TOKEN} says who calls")
    }
    bail!("{words} ({}, {code}, from {url})", status.as_u16())
}

/// Why an answer may be older than the log is, where it says so.
pub(crate) fn stale(answer: &Value) -> Option<String> {
    let stale = answer.get("stale").filter(|stale| !stale.is_null())?;
    Some(stale["cause"].as_str().unwrap_or("it does not say why").to_owned())
}

/// Why a request got no answer, in a few words and without the chain of what was called.
pub(crate) fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it takes too long to answer".to_owned();
    }
    let Some(cause) = causes(error).last() else { return error.to_string() };
    match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
        _ if causes(error).any(is_end) => "the connection broke".to_owned(),
        _ => cause.to_string(),
    }
}

/// True of a connection that was made, and ended before an answer.
fn is_end(cause: &(dyn Error + 'static)) -> bool {
    if let Some(http) = cause.downcast_ref::<hyper::Error>() {
        return http.is_canceled() || http.is_closed() || http.is_incomplete_message();
    }
    let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    matches!(
        kind,
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof)
    )
}

/// What caused it, one after the other.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// The address of a platform without a slash at its end, or what is wrong with it; reads `--url`.
pub(crate) fn base_url(text: &str) -> Result<String, String> {
    let base = Url::parse(text).ok();
    let base = base.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let base = base.map(|_| text.trim_end_matches('/').to_owned());
    base.ok_or_else(|| format!("is not a URL like {DEFAULT_URL}"))
}

/// The name of who acts, as a header takes it; reads `--actor`.
pub(crate) fn actor_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let visible = name.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if name.is_empty() || name.len() > 200 || !visible {
        return Err("has 1 to 200 visible ASCII characters".to_owned());
    }
    Ok(name.to_owned())
}

/// A key that no other run has: one asks for one thing.
pub(crate) fn unique_key(what: &str) -> String {
    let now = service_kit::clock::system()();
    format!("{what}-{}-{}", now.timestamp_micros(), std::process::id())
}

/// A path segment: every byte that is not plainly allowed is percent-encoded.
pub(crate) fn segment(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_path_segments_with_every_odd_byte_encoded() {
        assert_eq!(segment("BANK CHARGES"), "BANK%20CHARGES");
        assert_eq!(segment("gift_0001_20"), "gift_0001_20");
        assert_eq!(segment("a/b?c#é"), "a%2Fb%3Fc%23%C3%A9");
    }

    #[tokio::test]
    async fn who_is_not_there_is_named_in_one_sentence_with_what_to_do() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Api::at(&format!("http://{free}"), &ConnectArgs::default()).unwrap();
        let error = error.get("/v1/orders").await.unwrap_err();
        let wanted = format!(
            "no platform answers at http://{free} (connection refused): start one with `docket`, or name the address of one that runs"
        );
        assert_eq!(format!("{error:#}"), wanted);
    }

    #[test]
    fn who_acts_is_named_as_a_header_takes_it() {
        assert_eq!(actor_name(" ada "), Ok("ada".to_owned()));
        for wrong in ["", " ", "Ada Łovelace", "a\nb", &"a".repeat(201)] {
            actor_name(wrong).unwrap_err();
        }
    }

    #[test]
    fn an_address_without_a_scheme_is_told_what_one_looks_like() {
        assert_eq!(base_url("http://shop:8080/").unwrap(), "http://shop:8080");
        for wrong in ["foo", "localhost:8080", "ftp://shop", "http://"] {
            let said = base_url(wrong).unwrap_err();
            assert!(said.contains("http://127.0.0.1:8080"), "{wrong}: {said}");
        }
    }
}

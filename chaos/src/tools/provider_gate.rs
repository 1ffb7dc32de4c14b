//! Stands before the payment provider: passes requests on, or does to them what networks and providers do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::KEPT_CONNECTION;

/// Longer than anybody waits for the provider.
const TOO_LONG: Duration = Duration::from_secs(30);

const JSON: &str = "application/json";

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It is passed on, and so is its answer.
    Honest,
    /// 500, and nothing was done.
    Fails,
    /// 500, though it was done.
    FailsAfterwards,
    /// It is done, and nobody hears of it in time.
    LosesAnswers,
    /// It arrives twice.
    Twice,
    /// It is passed on after a while.
    Slow,
    /// Nobody is there.
    Silent,
}

/// A server in the provider's place.
#[derive(Debug)]
pub(crate) struct ProviderGate {
    url: String,
    behind: Arc<Behind>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Behind {
    provider: String,
    http: reqwest::Client,
    manner: Mutex<Manner>,
    requests: AtomicU64,
}

impl ProviderGate {
    /// Before the provider at this address.
    pub(crate) async fn before(provider: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let http = reqwest::Client::builder().no_proxy().timeout(TOO_LONG);
        let http = http.pool_idle_timeout(KEPT_CONNECTION).build()?;
        let (manner, requests) = (Mutex::new(Manner::Honest), AtomicU64::new(0));
        let behind = Arc::new(Behind { provider: provider.to_owned(), http, manner, requests });
        let router = Router::new().route("/{*path}", post(pass)).with_state(Arc::clone(&behind));
        let serving = tokio::spawn(async move {
            // It ends when it is aborted.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, behind, serving })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How it treats who comes from now on.
    pub(crate) fn set(&self, manner: Manner) {
        *self.behind.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// How many requests ever came.
    pub(crate) fn requests(&self) -> u64 {
        self.behind.requests.load(Ordering::Relaxed)
    }
}

impl Drop for ProviderGate {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(
    State(behind): State<Arc<Behind>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    behind.requests.fetch_add(1, Ordering::Relaxed);
    let manner = *behind.manner.lock().unwrap_or_else(PoisonError::into_inner);
    let path = uri.path();
    let token = headers.get(header::AUTHORIZATION);
    match manner {
        Manner::Honest => behind.ask(path, token, body).await,
        Manner::Fails => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Manner::FailsAfterwards => {
            let _ = behind.ask(path, token, body).await;
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Manner::LosesAnswers => {
            let _ = behind.ask(path, token, body).await;
            tokio::time::sleep(TOO_LONG).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        Manner::Twice => {
            let _ = behind.ask(path, token, body.clone()).await;
            behind.ask(path, token, body).await
        }
        Manner::Slow => {
            tokio::time::sleep(Duration::from_millis(200)).await;
            behind.ask(path, token, body).await
        }
        Manner::Silent => {
            tokio::time::sleep(TOO_LONG).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}

impl Behind {
    async fn ask(&self, path: &str, token: Option<&HeaderValue>, body: Bytes) -> Response {
        let mut asked = self.http.post(format!("{}{path}", self.provider)).body(body);
        if let Some(token) = token {
            asked = asked.header(header::AUTHORIZATION, token);
        }
        let Ok(answer) = asked.header(header::CONTENT_TYPE, JSON).send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let status = answer.status();
        let Ok(body) = answer.bytes().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
    }
}

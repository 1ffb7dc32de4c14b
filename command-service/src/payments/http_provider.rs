//! A payment provider that is asked over HTTP: the simulated one, as a process of its own.
//!
//! **Invariant:** whatever goes wrong on the way is [`ProviderOutcome::Unknown`]. Only an answer of the provider says that
//! something was done or never will be.

use std::time::Duration;

use domain::payments::ProviderOutcome;
use futures::future::BoxFuture;
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use service_kit::http::KEPT_CONNECTION;
use service_kit::service_token::ServiceToken;
use service_kit::tls::ClientConfig;
use service_kit::trace;
use tracing::Instrument as _;

use super::provider::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};
use super::simulator::wire::{CALLS, PROBES, Probe, Said};

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long a provider is left alone that does not take our token.
const REST: Duration = Duration::from_secs(5);

/// A provider behind this address.
#[derive(Debug, Clone)]
pub struct HttpProvider {
    http: reqwest::Client,
    base: String,
    token: Option<ServiceToken>,
}

impl HttpProvider {
    /// The provider at this address, such as `http://127.0.0.1:8084`, which may take so long to answer, and is shown this token.
    pub fn new(
        base: &str,
        deadline: Duration,
        tls: ClientConfig,
        token: Option<ServiceToken>,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN.min(deadline))
            .pool_idle_timeout(KEPT_CONNECTION)
            .timeout(deadline)
            .build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token })
    }

    async fn ask<Q: Serialize + Sync>(&self, path: &str, question: &Q) -> ProviderAnswer {
        let span = trace::client_span(&Method::POST, "payment-provider");
        let mut headers = reqwest::header::HeaderMap::new();
        trace::inject(&span, &mut headers);
        if let Some(token) = self.token.as_ref().and_then(ServiceToken::authorization) {
            headers.insert(AUTHORIZATION, token);
        }
        let asked = self.http.post(format!("{}{path}", self.base)).headers(headers).json(question);
        let answer = async {
            let answer = asked.send().await?;
            let status = answer.status();
            trace::answered(&span, status.as_u16(), !status.is_success());
            if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                return Ok(None);
            }
            answer.error_for_status()?.json::<Said>().await.map(Some)
        };
        match answer.instrument(span.clone()).await {
            Ok(Some(said)) => said.into(),
            Ok(None) => {
                tracing::error!(
                    "the payment provider does not take the token of this service; nothing is done meanwhile"
                );
                ProviderAnswer::NotAsked { again_in: REST }
            }
            Err(error) => {
                let why = cause(&error);
                tracing::info!(%error, why, "the payment provider did not answer; the outcome is unknown");
                ProviderOutcome::Unknown.into()
            }
        }
    }
}

/// What is behind an error that is only told to be one.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

impl PaymentProvider for HttpProvider {
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(self.ask(CALLS, call))
    }

    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer> {
        let probe = Probe { call: call.clone(), close: when_absent == WhenAbsent::Close };
        Box::pin(async move { self.ask(PROBES, &probe).await })
    }
}

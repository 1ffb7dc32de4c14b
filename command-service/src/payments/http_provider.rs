//! A payment provider that is asked over HTTP: the simulated one, as a process of its own.
//!
//! **Invariant:** whatever goes wrong on the way is [`ProviderOutcome::Unknown`]. Only an answer of the provider says that
//! something was done or never will be.

use std::time::Duration;

use domain::payments::ProviderOutcome;
use futures::future::BoxFuture;
use reqwest::Method;
use serde::Serialize;
use service_kit::http::KEPT_CONNECTION;
use service_kit::trace;
use tracing::Instrument as _;

use super::provider::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};
use super::simulator::wire::{CALLS, PROBES, Probe, Said};

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A provider behind this address.
#[derive(Debug, Clone)]
pub struct HttpProvider {
    http: reqwest::Client,
    base: String,
}

impl HttpProvider {
    /// The provider at this address, such as `http://127.0.0.1:8084`, which may take so long to answer.
    pub fn new(base: &str, deadline: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN.min(deadline))
            .pool_idle_timeout(KEPT_CONNECTION)
            .timeout(deadline)
            .build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    async fn ask<Q: Serialize + Sync>(&self, path: &str, question: &Q) -> ProviderAnswer {
        let span = trace::client_span(&Method::POST, "payment-provider");
        let mut headers = reqwest::header::HeaderMap::new();
        trace::inject(&span, &mut headers);
        let asked = self.http.post(format!("{}{path}", self.base)).headers(headers).json(question);
        let answer = async {
            let answer = asked.send().await?;
            trace::answered(&span, answer.status().as_u16(), !answer.status().is_success());
            answer.error_for_status()?.json::<Said>().await
        };
        match answer.instrument(span.clone()).await {
            Ok(said) => said.into(),
            Err(error) => {
                tracing::info!(%error, "the payment provider did not answer; the outcome is unknown");
                ProviderOutcome::Unknown.into()
            }
        }
    }
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

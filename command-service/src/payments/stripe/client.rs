//! Asking Stripe over HTTP: addresses, keys, the version of the API.

use std::time::Duration;

use access::is_this_machine;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;
use service_kit::tls::ClientConfig;
use service_kit::trace;
use tracing::Instrument as _;

use super::failed::Failed;
use super::form::Form;

/// The version of the API whose answers are read here.
const VERSION: HeaderValue = HeaderValue::from_static("2024-06-20");
const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How Stripe is reached.
#[derive(Clone)]
pub struct StripeSettings {
    /// The account's secret key, or a restricted one.
    pub secret_key: String,
    /// Where the API is.
    pub api_url: String,
    /// How long an answer may take.
    pub deadline: Duration,
    /// Whom to believe that they are Stripe.
    pub tls: ClientConfig,
}

impl std::fmt::Debug for StripeSettings {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StripeSettings").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

/// Why Stripe can't be asked under this address with this key.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAddress {
    /// It is no address.
    #[error("`{0}` is not an address like https://api.stripe.com")]
    NoUrl(String),
    /// Whoever can read the network would read the key.
    #[error("the secret key would go to {0} in clear text: only https, or http on this machine")]
    ClearText(String),
    /// It is no key.
    #[error("the secret key has characters that no key has")]
    NoKey,
    /// There is no client.
    #[error("no HTTP client can be made")]
    Client(#[from] reqwest::Error),
}

/// Asks Stripe. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct StripeClient {
    http: reqwest::Client,
    base: String,
}

impl StripeClient {
    pub(super) fn new(settings: StripeSettings) -> Result<Self, InvalidAddress> {
        let base = settings.api_url.trim_end_matches('/').to_owned();
        check(&base)?;
        let mut key = HeaderValue::try_from(format!("Bearer {}", settings.secret_key))
            .map_err(|_| InvalidAddress::NoKey)?;
        key.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, key), (STRIPE_VERSION, VERSION)]);
        let mut tls = settings.tls;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(headers)
            .redirect(Policy::none())
            .connect_timeout(CONNECT_WITHIN.min(settings.deadline))
            .timeout(settings.deadline)
            .build()?;
        Ok(Self { http, base })
    }

    /// Does something, once a key.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        form: &Form,
    ) -> Result<T, Failed> {
        let key = HeaderValue::try_from(key).map_err(|_| Failed::KeyUsed)?;
        let asked = self.http.post(format!("{}{path}", self.base));
        let asked = asked.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(Method::POST, asked.header(IDEMPOTENCY_KEY, key).body(form.encoded())).await
    }

    /// Looks at something.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &Form,
    ) -> Result<T, Failed> {
        let asked = self.http.get(format!("{}{path}?{}", self.base, form.encoded()));
        self.send(Method::GET, asked).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        asked: reqwest::RequestBuilder,
    ) -> Result<T, Failed> {
        let span = trace::client_span(&method, "stripe");
        let answered = async {
            let answer = asked.send().await?;
            let status = answer.status();
            trace::answered(&span, status.as_u16(), !status.is_success());
            let retry_after = answer.headers().get(RETRY_AFTER).cloned();
            Ok((status, retry_after, answer.bytes().await?))
        };
        let answered: Result<_, reqwest::Error> = answered.instrument(span.clone()).await;
        let (status, retry_after, body) = answered.map_err(|error| {
            tracing::info!(%error, "Stripe did not answer; the outcome is unknown");
            Failed::Unknown
        })?;
        if !status.is_success() {
            let retry_after = retry_after.as_ref().and_then(|said| said.to_str().ok());
            let failed = Failed::of(status.as_u16(), retry_after, &body);
            tell(status.as_u16(), &failed);
            return Err(failed);
        }
        serde_json::from_slice(&body).map_err(|error| {
            tracing::error!(%error, "Stripe's answer can't be read; the outcome is unknown");
            Failed::Unknown
        })
    }
}

fn tell(status: u16, failed: &Failed) {
    match failed {
        Failed::Refused { code, .. } => tracing::info!(status, %code, "Stripe refused"),
        Failed::NotTaken(_) if status == 401 || status == 403 => {
            tracing::error!(
                status,
                "Stripe does not take the secret key; nothing is asked meanwhile"
            );
        }
        Failed::NotTaken(_) => tracing::warn!(status, "Stripe takes no more requests for a moment"),
        Failed::KeyUsed => tracing::error!(status, "Stripe knows this key from another request"),
        Failed::Unknown => tracing::warn!(status, "Stripe failed; the outcome is unknown"),
    }
}

/// A key is only sent where nobody reads along.
fn check(base: &str) -> Result<(), InvalidAddress> {
    let no_url = || InvalidAddress::NoUrl(base.to_owned());
    let url = Url::parse(base).map_err(|_| no_url())?;
    let host = url.host_str().ok_or_else(no_url)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_this_machine(host) => Ok(()),
        "http" => Err(InvalidAddress::ClearText(base.to_owned())),
        _ => Err(no_url()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_nowhere_in_clear_text_but_to_this_machine() {
        for good in [
            "https://api.stripe.com",
            "http://127.0.0.1:8420",
            "http://[::1]:1",
            "http://localhost:2",
        ] {
            check(good).unwrap();
        }
        assert!(matches!(check("http://stripe.example"), Err(InvalidAddress::ClearText(_))));
        for none in ["api.stripe.com", "ftp://127.0.0.1", "https://"] {
            assert!(matches!(check(none), Err(InvalidAddress::NoUrl(_))), "{none}");
        }
    }
}

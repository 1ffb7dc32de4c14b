//! How a platform or a service is asked over HTTP by whoever runs a command: whom to believe, and what to show.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, ClientBuilder, RequestBuilder};
use service_kit::service_token::ServiceToken;
use service_kit::tls::{ClientConfig, ClientTlsError, ClientTlsFiles, ServerTlsFiles, Trust};
use service_kit::tls::{client_config, config_for_own};
use service_kit::watched::NamedFile;

use crate::config::{ClientTlsArgs, WrongSettings};

/// Where the token of whoever calls is said: a flag would be in the list of processes.
pub(crate) const TOKEN: &str = "DOCKET_TOKEN";

/// Whom to believe, and what to show.
#[derive(Debug, Clone, Default, PartialEq, clap::Args)]
pub(crate) struct ConnectArgs {
    #[command(flatten)]
    pub(crate) tls: ClientTlsArgs,
    /// File with the token that says who asks, read again when it changes
    #[arg(long, env = "DOCKET_SERVICE_TOKEN_FILE", value_name = "FILE")]
    service_token_file: Option<PathBuf>,
}

impl ConnectArgs {
    /// This, and no token.
    pub(crate) fn with_tls(tls: ClientTlsArgs) -> Self {
        Self { tls, service_token_file: None }
    }

    /// Whom to believe and what certificate to show.
    pub(crate) fn tls(&self) -> Result<ClientConfig> {
        tls(&self.tls, Trust::Named)
    }

    /// The token, if there is one.
    pub(crate) fn service_token(&self) -> Result<Option<ServiceToken>> {
        let file = self.service_token_file.as_ref();
        let file = file.map(|path| NamedFile::new("service_token_file", path));
        let token = file.map(ServiceToken::start).transpose();
        token.map_err(|wrong| WrongSettings::new(wrong.to_string()).into())
    }
}

/// How others are asked by these files.
pub(crate) fn tls(args: &ClientTlsArgs, trust: Trust) -> Result<ClientConfig> {
    let config = client_config(&args.files()?, trust);
    config.map_err(|wrong| {
        anyhow!(wrong).context(WrongSettings::new("TLS can't be spoken with others"))
    })
}

/// Asks over HTTP, and shows whose it is. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client,
    token: Option<Token>,
    shows_certificate: bool,
}

#[derive(Debug, Clone)]
enum Token {
    /// Of whoever calls.
    Said(HeaderValue),
    /// Of a service, in a file.
    InFile(ServiceToken),
}

impl Http {
    /// Asks a platform that may be anywhere.
    pub(crate) fn new(
        args: &ConnectArgs,
        with: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self> {
        Self::over(args.tls()?, args, with)
    }

    /// Asks a process of this machine, which shows this certificate.
    pub(crate) fn for_own(
        own: ServerTlsFiles,
        args: &ConnectArgs,
        with: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self> {
        let files: ClientTlsFiles = args.tls.files()?;
        let config = config_for_own(own.certificate, own.key, &files);
        let wrong = |wrong: ClientTlsError| {
            anyhow!(wrong).context(WrongSettings::new("TLS can't be spoken"))
        };
        Self::over(config.map_err(wrong)?, args, with)
    }

    fn over(
        mut tls: ClientConfig,
        args: &ConnectArgs,
        with: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self> {
        let shows_certificate = tls.client_auth_cert_resolver.has_certs();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = with(Client::builder().tls_backend_preconfigured(tls)).build()?;
        let token = match said()? {
            Some(said) => Some(Token::Said(said)),
            None => args.service_token()?.map(Token::InFile),
        };
        Ok(Self { client, token, shows_certificate })
    }

    /// True where it shows a certificate to whom asks for one.
    pub(crate) fn shows_certificate(&self) -> bool {
        self.shows_certificate
    }

    pub(crate) fn get(&self, url: String) -> RequestBuilder {
        self.bearing(self.client.get(url))
    }

    pub(crate) fn post(&self, url: String) -> RequestBuilder {
        self.bearing(self.client.post(url))
    }

    pub(crate) fn delete(&self, url: String) -> RequestBuilder {
        self.bearing(self.client.delete(url))
    }

    fn bearing(&self, request: RequestBuilder) -> RequestBuilder {
        let shown = match &self.token {
            None => None,
            Some(Token::Said(said)) => Some(said.clone()),
            Some(Token::InFile(token)) => token.authorization(),
        };
        match shown {
            Some(shown) => request.header(AUTHORIZATION, shown),
            None => request,
        }
    }
}

/// What the environment says of whoever calls. It goes before a file: who calls by themselves is no service.
fn said() -> Result<Option<HeaderValue>> {
    let Some(token) = std::env::var(TOKEN).ok().filter(|token| !token.is_empty()) else {
        return Ok(None);
    };
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.trim()))
        .map_err(|_| anyhow!("{TOKEN} holds no token"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

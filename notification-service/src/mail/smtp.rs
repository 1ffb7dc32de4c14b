//! The conversation with the mail server, a connection a mail at a time.
//!
//! `lettre` speaks SMTP; what is here is which answer means what. Its own transport tells a refused password and a refused recipient by
//! the same status, and only one of them is about the mail.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::time::Instant;

use super::answer::{Step, Unsent};
use super::message::Outgoing;
use super::server::{MailServer, Security};
use super::settings::MailSettings;

/// How long a connection is kept that nobody uses: less than mail servers keep it.
const KEPT_FOR: Duration = Duration::from_secs(20);

/// Why no mail can go out at all.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The file with certificates can't be read.
    #[error("the certificates {} of the mail server can't be read", .path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There are none in it, or TLS can't be had.
    #[error("there can be no TLS connection to the mail server")]
    Tls(#[source] SmtpError),
}

/// The way to the mail server.
pub(super) struct Smtp {
    server: MailServer,
    tls: TlsParameters,
    credentials: Option<Credentials>,
    hello: ClientId,
    deadline: Duration,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Smtp {
    /// The way there; nothing is connected yet.
    pub(super) fn new(settings: &MailSettings) -> Result<Self, MailError> {
        let mut tls = TlsParametersBuilder::new(settings.server.host.clone());
        if let Some(path) = &settings.authorities {
            let pem = std::fs::read(path);
            let pem =
                pem.map_err(|source| MailError::Authorities { path: path.clone(), source })?;
            tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(MailError::Tls)?);
        }
        let credentials = settings.credentials.clone();
        Ok(Self {
            server: settings.server.clone(),
            tls: tls.build().map_err(MailError::Tls)?,
            credentials: credentials.map(|(user, password)| Credentials::new(user, password)),
            hello: ClientId::Domain(settings.from.domain().to_owned()),
            deadline: settings.deadline,
            idle: Mutex::default(),
        })
    }

    /// Hands a mail over; the status with which it was taken. The deadline is over everything.
    pub(super) async fn send(&self, mail: &Outgoing) -> Result<u16, Unsent> {
        let sent = tokio::time::timeout(self.deadline, self.send_in_time(mail)).await;
        sent.unwrap_or(Err(Unsent::Late(self.deadline)))
    }

    async fn send_in_time(&self, mail: &Outgoing) -> Result<u16, Unsent> {
        let mut connection = match self.kept().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        match hand_over(&mut connection, mail).await {
            Ok(taken) => {
                self.keep(connection);
                Ok(taken.code().into())
            }
            Err(unsent) => {
                connection.abort().await;
                Err(unsent)
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Unsent> {
        let MailServer { host, port, security } = &self.server;
        let sealed = (*security == Security::Tls).then(|| self.tls.clone());
        let place = (host.as_str(), *port);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            place,
            Some(self.deadline),
            &self.hello,
            sealed,
            None,
        );
        let connected = connecting.await;
        let mut connection =
            connected.map_err(|error| unsent(&error, Step::Greeting, Unsent::NotReached))?;
        if *security == Security::StartTls {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(Unsent::NotSealed);
            }
            let sealing = connection.starttls(self.tls.clone(), &self.hello).await;
            sealing.map_err(|error| unsent(&error, Step::Greeting, Unsent::NotSealed))?;
        }
        if let Some(credentials) = &self.credentials {
            let ways = [Mechanism::Plain, Mechanism::Login];
            if connection.server_info().get_auth_mechanism(&ways).is_none() {
                connection.abort().await;
                return Err(Unsent::NoLogIn);
            }
            let entered = connection.auth(&ways, credentials).await;
            entered.map_err(|error| unsent(&error, Step::LogIn, Unsent::Broken))?;
        }
        Ok(connection)
    }

    /// A connection that was used before and still answers.
    async fn kept(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = self.lock().pop()?;
            if since.elapsed() < KEPT_FOR && connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.lock();
        idle.retain(|(_, since)| since.elapsed() < KEPT_FOR);
        idle.push((connection, Instant::now()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(AsyncSmtpConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom it is from, whom it is for, what it says. Its content is in seven bits, but for an address of other letters.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    mail: &Outgoing,
) -> Result<Response, Unsent> {
    let mut parameters = Vec::new();
    if !mail.envelope.to().iter().all(|to| to.to_string().is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Unsent::Letters);
        }
        parameters.push(MailParameter::SmtpUtfEight);
        // Then the address stands in the mail's head, too.
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let refused = |step| move |error| unsent(&error, step, Unsent::Broken);
    let from = Mail::new(mail.envelope.from().cloned(), parameters);
    connection.command(from).await.map_err(refused(Step::Sender))?;
    for to in mail.envelope.to() {
        let to = Rcpt::new(to.clone(), Vec::new());
        connection.command(to).await.map_err(refused(Step::Recipient))?;
    }
    connection.command(Data).await.map_err(refused(Step::Content))?;
    connection.message(&mail.content).await.map_err(refused(Step::Content))
}

/// What a failure means; `otherwise` where the server gave no status.
fn unsent(error: &SmtpError, step: Step, otherwise: Unsent) -> Unsent {
    match error.status() {
        Some(status) => Unsent::Refused { step, status: status.into() },
        None if is_of_tls(error) => Unsent::NotSealed,
        None => otherwise,
    }
}

/// What TLS does not take, such as a certificate that nobody vouches for, comes as data that is not valid.
fn is_of_tls(error: &SmtpError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::InvalidData;
        }
        cause = error.source();
    }
    error.is_tls()
}

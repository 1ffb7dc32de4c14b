//! Why a receiver gave no answer, read off the error of whoever asked it.
//!
//! **Invariant:** of an address that may not be asked nothing else is told than that: it is refused before it is connected to, so how
//! a connection fails says nothing of what the settings do not list.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use rustls::{CertificateError, Error as TlsError};

use super::networks::Refused;
use super::resolver::NotResolved;

/// Why there is no answer. It is told to whoever operates the endpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// It may not be asked.
    #[error("{0}")]
    Refused(Refused),
    /// The deadline was over.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// Its name is not known, or nobody says now what it is.
    #[error("the name `{0}` can't be resolved")]
    NotResolved(String),
    /// Nobody listens there.
    #[error("the connection was refused: nobody listens there")]
    NobodyListens,
    /// There is no way there.
    #[error("there is no route to it")]
    NoRoute,
    /// It shows a certificate that is not taken.
    #[error("its certificate is not taken: {0}")]
    Certificate(&'static str),
    /// It does not speak TLS as we do.
    #[error("no TLS was agreed on with it")]
    NoTls,
    /// It can't be reached, for another reason.
    #[error("can't be connected to")]
    NotReached,
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke before an answer")]
    Broken,
}

impl Unanswered {
    /// Why a request came to nothing that had so long.
    pub(super) fn of(error: &reqwest::Error, deadline: Duration) -> Self {
        if let Some(found) = causes(error).find_map(known) {
            return found;
        }
        if error.is_timeout() {
            Self::Late(deadline)
        } else if error.is_connect() {
            Self::NotReached
        } else {
            Self::Broken
        }
    }
}

/// An error and everything behind it.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| behind(*error))
}

/// What is right behind an error. What an I/O error wraps is not its source, so it is looked into.
fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
        None => error.source(),
    }
}

/// What a cause is, if it says more than that there was no answer.
fn known(cause: &(dyn Error + 'static)) -> Option<Unanswered> {
    if let Some(refused) = cause.downcast_ref::<Refused>() {
        return Some(Unanswered::Refused(refused.clone()));
    }
    if let Some(NotResolved { name, .. }) = cause.downcast_ref() {
        return Some(Unanswered::NotResolved(name.clone()));
    }
    if let Some(tls) = cause.downcast_ref::<TlsError>() {
        return Some(not_trusted(tls));
    }
    match cause.downcast_ref::<io::Error>()?.kind() {
        ErrorKind::ConnectionRefused => Some(Unanswered::NobodyListens),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Some(Unanswered::NoRoute),
        _ => None,
    }
}

fn not_trusted(error: &TlsError) -> Unanswered {
    let TlsError::InvalidCertificate(wrong) = error else { return Unanswered::NoTls };
    Unanswered::Certificate(match wrong {
        CertificateError::UnknownIssuer => "nobody vouches for it",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its time is over",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its time has not come"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name"
        }
        _ => "it is not valid",
    })
}

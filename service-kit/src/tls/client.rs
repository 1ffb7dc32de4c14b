//! TLS towards others: whom to believe that they are who was asked for, and what to show them.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::pem::{authorities, certificates, certified};
use super::provider::provider;
use crate::watched::{NamedFile, Watched, WrongFile};

/// What a client believes and shows. All in PEM form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientTlsFiles {
    /// Who signs the certificates of who is asked: `ca_file`.
    pub authorities: Option<PathBuf>,
    /// The certificate to show, and its key: `client_cert_file` and `client_key_file`.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Whom a client believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Who the file names and nobody else; whom this machine trusts where no file is named.
    Named,
    /// Whom this machine trusts, and who the file names.
    Public,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientTlsError {
    /// A file can't be used.
    #[error(transparent)]
    File(#[from] WrongFile),
    /// It can't be told whom this machine trusts.
    #[error("it can't be told whom this machine trusts")]
    Machine(#[source] Error),
}

/// How connections are made, by files that are read again when they change. What is spoken within TLS is for the caller to say.
pub fn client_config(files: &ClientTlsFiles, trust: Trust) -> Result<ClientConfig, ClientTlsError> {
    let verifier: Arc<dyn ServerCertVerifier> = match &files.authorities {
        None => Arc::new(Verifier::new(provider()).map_err(ClientTlsError::Machine)?),
        Some(path) => Arc::new(Trusted::start(path.clone(), trust)?),
    };
    let identity = files.identity.clone().map(Identity::start).transpose()?;
    config(verifier, identity.map(|identity| Arc::new(identity) as _))
        .map_err(ClientTlsError::Machine)
}

pub(super) fn config(
    verifier: Arc<dyn ServerCertVerifier>,
    identity: Option<Arc<dyn ResolvesClientCert>>,
) -> Result<ClientConfig, Error> {
    let config = ClientConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions()?;
    let config = config.dangerous().with_custom_certificate_verifier(verifier);
    Ok(match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let mut config = config.with_client_cert_resolver(identity);
            // A session that is taken up again would bear the certificate of before.
            config.resumption = Resumption::disabled();
            config
        }
    })
}

/// Believes who the file names, as it is now.
#[derive(Debug)]
struct Trusted(Watched<Arc<dyn ServerCertVerifier>>);

impl Trusted {
    fn start(path: PathBuf, trust: Trust) -> Result<Self, WrongFile> {
        let file = NamedFile::new("ca_file", path);
        let named = file.clone();
        let make = move |found: &[Vec<u8>]| verifier(&named, &found[0], trust);
        Watched::start(vec![file], make).map(Self)
    }
}

fn verifier(
    file: &NamedFile,
    text: &[u8],
    trust: Trust,
) -> Result<Arc<dyn ServerCertVerifier>, WrongFile> {
    // Looked at in both cases: one that is of no use is said.
    let named = authorities(file, text)?;
    Ok(match trust {
        Trust::Named => {
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(named), provider());
            built.build().map_err(|error| file.wrong(error.to_string()))?
        }
        Trust::Public => {
            let built = Verifier::new_with_extra_roots(certificates(file, text)?, provider());
            Arc::new(built.map_err(|error| file.wrong(error.to_string()))?)
        }
    })
}

impl ServerCertVerifier for Trusted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let now_trusted = self.0.current();
        now_trusted.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.current().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.current().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.current().supported_verify_schemes()
    }
}

/// Shows a certificate, as it is now.
#[derive(Debug)]
pub(super) struct Identity(Watched<Arc<CertifiedKey>>);

impl Identity {
    fn start((certificate, key): (PathBuf, PathBuf)) -> Result<Self, WrongFile> {
        let certificate = NamedFile::new("client_cert_file", certificate);
        let key = NamedFile::new("client_key_file", key);
        let files = vec![certificate.clone(), key.clone()];
        let make = move |found: &[Vec<u8>]| {
            certified((&certificate, &found[0]), (&key, &found[1])).map(Arc::new)
        };
        Watched::start(files, make).map(Self)
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&*self.0.current()))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

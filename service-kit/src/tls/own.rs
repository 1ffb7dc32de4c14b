//! TLS towards a process of this machine, as whoever keeps it running asks it: under the address of the loopback, which stands in no
//! certificate.
//!
//! **Invariant:** only the very certificate that the process was given to show is believed.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::client::{ClientTlsError, ClientTlsFiles, config};
use super::pem::certified;
use super::provider::provider;
use crate::watched::{NamedFile, WrongFile};

/// How to ask a process whose `tls_cert_file` and `tls_key_file` these are. Where no certificate is named to show it, it is shown its own.
pub fn config_for_own(
    certificate: PathBuf,
    key: PathBuf,
    files: &ClientTlsFiles,
) -> Result<ClientConfig, ClientTlsError> {
    let own = read("tls_cert_file", certificate, "tls_key_file", key)?;
    let expected = own.cert.first().cloned();
    let shown = match files.identity.clone() {
        None => own,
        Some((certificate, key)) => read("client_cert_file", certificate, "client_key_file", key)?,
    };
    let shown: Arc<dyn ResolvesClientCert> = Arc::new(SingleCertAndKey::from(shown));
    let verifier = Own { expected, algorithms: algorithms(&provider()) };
    config(Arc::new(verifier), Some(shown)).map_err(ClientTlsError::Machine)
}

fn read(
    of_certificate: &'static str,
    certificate: PathBuf,
    of_key: &'static str,
    key: PathBuf,
) -> Result<CertifiedKey, WrongFile> {
    let certificate = NamedFile::new(of_certificate, certificate);
    let key = NamedFile::new(of_key, key);
    certified((&certificate, &certificate.read()?), (&key, &key.read()?))
}

fn algorithms(provider: &CryptoProvider) -> WebPkiSupportedAlgorithms {
    provider.signature_verification_algorithms
}

/// Believes who shows this certificate and has its key.
#[derive(Debug)]
struct Own {
    expected: Option<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Own {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.expected.as_ref() == Some(end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

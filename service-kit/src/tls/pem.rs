//! Certificates and keys from files in PEM form, with what is wrong with them in words.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, RootCertStore};

use super::expiry;
use super::provider::provider;
use crate::watched::{NamedFile, WrongFile};

/// The certificates of a file: at least one.
pub(super) fn certificates(
    file: &NamedFile,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, WrongFile> {
    let found = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| file.wrong(format!("is no PEM file: {error}")))?;
    if found.is_empty() {
        return Err(file.wrong("has no certificate in PEM form"));
    }
    Ok(found)
}

/// The certificates of a file, as those of whom to believe.
pub(super) fn authorities(file: &NamedFile, text: &[u8]) -> Result<RootCertStore, WrongFile> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(file, text)? {
        let added = authorities.add(certificate);
        added.map_err(|error| file.wrong(format!("has a certificate of no use: {error}")))?;
    }
    Ok(authorities)
}

/// A chain of certificates with the key of its first.
pub(super) fn certified(
    certificate: (&NamedFile, &[u8]),
    key: (&NamedFile, &[u8]),
) -> Result<CertifiedKey, WrongFile> {
    let chain = certificates(certificate.0, certificate.1)?;
    let secret = PrivateKeyDer::from_pem_slice(key.1)
        .map_err(|error| key.0.wrong(format!("has no private key in PEM form: {error}")))?;
    let shown =
        CertifiedKey::from_der(chain, secret, &provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                let of = certificate.0.path.display();
                key.0.wrong(format!("is not the key of the first certificate in {of}"))
            }
            Error::InvalidCertificate(why) => {
                certificate.0.wrong(format!("has a certificate of no use: {why}"))
            }
            other => key.0.wrong(format!("has a key of no use: {other}")),
        })?;
    expiry::tell(certificate.0, &shown.cert);
    Ok(shown)
}

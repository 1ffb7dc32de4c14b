//! When a chain of certificates ends, so that whoever watches the metrics renews it before.

use chrono::{DateTime, Utc};
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::clock;
use crate::watched::NamedFile;

/// Tells when what is shown from now on ends, and says so if it has.
pub(super) fn tell(file: &NamedFile, chain: &[CertificateDer<'_>]) {
    let Some(ends) = ends(chain) else { return };
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are few")]
    metrics::gauge!("docket_tls_certificate_expiry_timestamp_seconds", "setting" => file.setting)
        .set(ends.timestamp() as f64);
    if ends <= clock::system()() {
        let (setting, file, ended) = (file.setting, file.path.display(), ends.to_rfc3339());
        tracing::warn!(setting, %file, ended, "the certificate has ended: nobody will take it");
    }
}

/// The end of the first that ends; nothing of one that can't be read.
fn ends(chain: &[CertificateDer<'_>]) -> Option<DateTime<Utc>> {
    let each = chain.iter().filter_map(|der| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0)
    });
    each.min()
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;
    use test_servers::{Authority, Usage};

    use super::*;

    #[test]
    fn of_a_chain_the_first_that_ends_counts() {
        let authority = Authority::new("a test").unwrap();
        let der = |usage| {
            let signed = authority.sign(&["localhost"], usage).unwrap();
            CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap()
        };
        let (lasting, over) = (der(Usage::Both), der(Usage::Expired));
        assert!(ends(std::slice::from_ref(&lasting)).unwrap() > clock::system()());
        let ended = ends(&[lasting, over]).unwrap();
        assert_eq!(ended.to_rfc3339(), "2021-01-01T00:00:00+00:00");
        assert_eq!(ends(&[CertificateDer::from(vec![1, 2, 3])]), None);
    }
}

//! Who signs the certificates of a test.
//!
//! **Invariant:** what signs them is in no file and gone with its owner.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

use crate::certificate::Certificate;

/// Somebody who signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a certificate is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// To show as a server and as a client.
    Both,
    /// To show as a server only.
    Server,
    /// For nothing any more: its time is over.
    Expired,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(..)")
    }
}

impl Authority {
    /// One that nobody trusts yet.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?);
        Ok(Self(issuer.context("an authority can't sign itself")?))
    }

    /// Its own certificate, in PEM form: whoever trusts it trusts what it signs.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Writes that into a file.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        fs::write(path, self.pem()).context("a certificate can't be written")
    }

    /// Signs a certificate for these names and addresses.
    pub fn sign(&self, names: &[&str], usage: Usage) -> anyhow::Result<Certificate> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names.clone())?;
        let name = names.first().map_or("nobody", String::as_str);
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if usage != Usage::Server {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        }
        if usage == Usage::Expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate()?;
        let signed = params.signed_by(&key, &self.0).context("a certificate can't be signed")?;
        Ok(Certificate { certificate: signed.pem(), key: key.serialize_pem() })
    }
}

/// A certificate for these names and addresses that nobody but itself signed.
pub fn self_signed(names: &[&str]) -> anyhow::Result<Certificate> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let signed = rcgen::generate_simple_self_signed(names)?;
    Ok(Certificate { certificate: signed.cert.pem(), key: signed.signing_key.serialize_pem() })
}

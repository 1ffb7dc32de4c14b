//! A certificate, and the files of it.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// A certificate with its key, both in PEM form.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Certificate {
    /// Writes both into files.
    pub fn write(&self, certificate: &Path, key: &Path) -> anyhow::Result<()> {
        fs::write(certificate, &self.certificate).context("a certificate can't be written")?;
        fs::write(key, &self.key).context("a key can't be written")
    }
}

//! The secret that an endpoint and we share, as Standard Webhooks writes it: `whsec_` and base64.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const PREFIX: &str = "whsec_";
/// Bytes of one that we draw.
const BYTES: usize = 32;

/// A secret. It shows itself to nobody by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// Draws a new one.
    pub(crate) fn draw() -> Result<Self, Unspecified> {
        let mut bytes = vec![0; BYTES];
        rand::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// One of these bytes.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes, which are the key of signatures.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As the receiver is told, once.
    pub(crate) fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// Reads one as the receiver is told.
    #[cfg(test)]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text.strip_prefix(PREFIX)?).ok().map(Self)
    }
}

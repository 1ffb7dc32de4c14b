//! The keyed hash of a request: tells whether a repeated key asks for the same, and keeps nothing of what was asked.

use std::sync::Arc;

use aws_lc_rs::hmac;

/// Hashes requests under the installation's secret.
#[derive(Clone)]
pub struct RequestHasher {
    key: Arc<hmac::Key>,
}

impl std::fmt::Debug for RequestHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestHasher(..)")
    }
}

impl RequestHasher {
    /// A hasher under this secret, which must stay the same as long as the log lives.
    pub fn new(secret: &[u8]) -> Self {
        Self { key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)) }
    }

    /// The hash of these parts, in this order.
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            // The length stands before each part, so that no two lists of parts run together to the same bytes.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let tag = context.sign();
        let mut hash = [0; 32];
        hash.copy_from_slice(tag.as_ref());
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_under_the_same_secret_have_the_same_hash() {
        let hasher = RequestHasher::new(b"secret");
        assert_eq!(hasher.hash(&[b"a", b"b"]), RequestHasher::new(b"secret").hash(&[b"a", b"b"]));
        assert_ne!(hasher.hash(&[b"a", b"b"]), RequestHasher::new(b"other").hash(&[b"a", b"b"]));
    }

    #[test]
    fn parts_do_not_run_together() {
        let hasher = RequestHasher::new(b"secret");
        assert_ne!(hasher.hash(&[b"ab", b"c"]), hasher.hash(&[b"a", b"bc"]));
    }
}

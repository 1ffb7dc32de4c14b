//! Signatures after Standard Webhooks: HMAC-SHA256 over id, time and body, with each secret that is valid now.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, InvalidHeaderValue};

use super::secret::Secret;

/// What the body is.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/cloudevents+json");

/// The headers of an attempt. The id is that of the event: whoever gets it again knows that it is the same.
pub(crate) fn signed_headers<'s>(
    id: &str,
    at: DateTime<Utc>,
    body: &str,
    secrets: impl Iterator<Item = &'s Secret>,
) -> Result<HeaderMap, InvalidHeaderValue> {
    let timestamp = at.timestamp();
    let content = format!("{id}.{timestamp}.{body}");
    let signatures: Vec<String> = secrets.map(|secret| signature(secret, &content)).collect();
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::try_from(id)?);
    headers.insert("webhook-timestamp", timestamp.into());
    headers.insert("webhook-signature", HeaderValue::try_from(signatures.join(" "))?);
    headers.insert(CONTENT_TYPE, MEDIA_TYPE);
    Ok(headers)
}

fn signature(secret: &Secret, content: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, content.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the reference library (Python, `standardwebhooks` 1.1.0) makes of its own example.
    const KNOWN: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn headers(secrets: &[Secret]) -> HeaderMap {
        let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        signed_headers(id, at, r#"{"test": 2432232314}"#, secrets.iter()).unwrap()
    }

    #[test]
    fn a_signature_is_the_one_that_the_reference_library_makes() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = headers(&[secret]);
        assert_eq!(signed["webhook-signature"], KNOWN);
        assert_eq!(signed["webhook-timestamp"], "1614265330");
    }

    #[test]
    fn each_valid_secret_signs() {
        let two = [Secret::draw().unwrap(), Secret::draw().unwrap()];
        let signed = headers(&two);
        let both = signed["webhook-signature"].to_str().unwrap();
        let alone = two.map(|secret| headers(&[secret])["webhook-signature"].clone());
        assert_eq!(both, format!("{} {}", alone[0].to_str().unwrap(), alone[1].to_str().unwrap()));
    }
}

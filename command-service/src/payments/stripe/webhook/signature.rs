//! The signature of a notice: an HMAC over its time and its bytes, under a secret of the endpoint.

use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};

/// By how much a notice's time may differ from ours: an old one may be somebody's who recorded it.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// Signatures that are looked at: two while a secret is changed.
const MOST: usize = 16;

/// Why a notice is not believed to be Stripe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// The header has no time or no signature of the scheme that is known.
    #[error("the Stripe-Signature header has no time or no v1 signature")]
    Unreadable,
    /// Its time is too far from now.
    #[error("the notice's time is more than five minutes from now")]
    Old,
    /// No secret gives any of its signatures.
    #[error("no signature is of a secret that is known here")]
    Wrong,
}

/// The secrets of the endpoint; two while one takes the other's place.
pub struct Signatures {
    secrets: Vec<hmac::Key>,
}

impl std::fmt::Debug for Signatures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signatures").field("secrets", &self.secrets.len()).finish()
    }
}

impl Signatures {
    /// Of these secrets, separated by blanks or line ends; `None` without any.
    pub fn parse(secrets: &str) -> Option<Self> {
        let key = |secret: &str| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let secrets: Vec<_> = secrets.split_whitespace().map(key).collect();
        (!secrets.is_empty()).then_some(Self { secrets })
    }

    /// Whether these bytes are signed by one of the secrets, and lately.
    pub fn check(&self, header: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), BadSignature> {
        let (mut time, mut signatures) = (None, Vec::new());
        for part in header.split(',') {
            match part.trim().split_once('=') {
                Some(("t", said)) => time = Some(said),
                Some(("v1", said)) if signatures.len() < MOST => signatures.extend(bytes(said)),
                // Another scheme, as `v0` of test notices.
                _ => {}
            }
        }
        let time = time.ok_or(BadSignature::Unreadable)?;
        let seconds = time.parse().map_err(|_| BadSignature::Unreadable)?;
        let said = DateTime::from_timestamp(seconds, 0).ok_or(BadSignature::Unreadable)?;
        if signatures.is_empty() {
            return Err(BadSignature::Unreadable);
        }
        if (now - said).abs() > TOLERANCE {
            return Err(BadSignature::Old);
        }
        let signed = [time.as_bytes(), b".", body].concat();
        let is_signed = self.secrets.iter().any(|secret| {
            signatures.iter().any(|signature| hmac::verify(secret, &signed, signature).is_ok())
        });
        if is_signed { Ok(()) } else { Err(BadSignature::Wrong) }
    }
}

/// The bytes of a number in hexadecimal digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.is_empty()
        || !digits.len().is_multiple_of(2)
        || !digits.iter().all(u8::is_ascii_hexdigit)
    {
        return None;
    }
    digits
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    /// As Stripe signs, made here by another way than the check.
    fn signed(secret: &str, seconds: i64, body: &[u8]) -> String {
        let mut context =
            hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        context.update(format!("{seconds}.").as_bytes());
        context.update(body);
        let mut digits = String::new();
        for byte in context.sign().as_ref() {
            write!(digits, "{byte:02x}").unwrap();
        }
        digits
    }

    fn header(secret: &str, seconds: i64) -> String {
        format!("t={seconds},v1={}", signed(secret, seconds, BODY))
    }

    #[test]
    fn a_notice_of_stripe_s_is_believed() {
        let signatures = Signatures::parse("whsec_test").unwrap();
        // Signed with OpenSSL: printf '%s' '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        let known =
            "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";
        signatures.check(known, BODY, now()).unwrap();
        assert_eq!(known, header("whsec_test", 1_700_000_000));
    }

    #[test]
    fn any_of_several_signatures_and_of_several_secrets_will_do() {
        let (old, new) = ("whsec_old", "whsec_new");
        let both = Signatures::parse(&format!("{old}\n{new}\n")).unwrap();
        let seconds = now().timestamp();
        both.check(&header(old, seconds), BODY, now()).unwrap();
        both.check(&header(new, seconds), BODY, now()).unwrap();
        let only_new = Signatures::parse(new).unwrap();
        let [of_old, of_new] = [old, new].map(|secret| signed(secret, seconds, BODY));
        let two = format!("t={seconds}, v1={of_old}, v1={of_new}, v0=00");
        only_new.check(&two, BODY, now()).unwrap();
        assert_eq!(only_new.check(&header(old, seconds), BODY, now()), Err(BadSignature::Wrong));
    }

    #[test]
    fn another_body_time_or_secret_is_not_believed() {
        let signatures = Signatures::parse("whsec_test").unwrap();
        let seconds = now().timestamp();
        let good = header("whsec_test", seconds);
        let check = |header: &str, body| signatures.check(header, body, now());
        assert_eq!(check(&good, b"{\"id\":\"evt_2\"}"), Err(BadSignature::Wrong));
        assert_eq!(
            check(&good, b"{\"id\": \"evt_1\"}"),
            Err(BadSignature::Wrong),
            "raw bytes count"
        );
        assert_eq!(check(&header("whsec_other", seconds), BODY), Err(BadSignature::Wrong));
        let moved = good.replace(&format!("t={seconds}"), &format!("t={}", seconds + 1));
        assert_eq!(check(&moved, BODY), Err(BadSignature::Wrong), "the time is signed, too");
        let shorter = &good[..good.len() - 2];
        assert_eq!(check(shorter, BODY), Err(BadSignature::Wrong));
    }

    #[test]
    fn a_notice_is_believed_for_five_minutes_and_no_longer() {
        let signatures = Signatures::parse("whsec_test").unwrap();
        let at = |seconds: i64| signatures.check(&header("whsec_test", seconds), BODY, now());
        let seconds = now().timestamp();
        for near in [-300, 300] {
            at(seconds + near).unwrap();
        }
        for far in [-301, 301] {
            assert_eq!(at(seconds + far), Err(BadSignature::Old));
        }
    }

    #[test]
    fn what_is_no_signature_is_unreadable() {
        let signatures = Signatures::parse("whsec_test").unwrap();
        let of_v0 = header("whsec_test", now().timestamp()).replace("v1=", "v0=");
        for header in [
            "",
            "t=",
            "t=1,v1=",
            "v1=aa",
            "t=x,v1=aa",
            "t=1,v1=zz",
            "t=1,v1=aaa",
            &of_v0,
            "t=99999999999999999999,v1=aa",
            "t=9223372036854775807,v1=aa",
        ] {
            assert_eq!(
                signatures.check(header, BODY, now()),
                Err(BadSignature::Unreadable),
                "{header}"
            );
        }
        assert!(Signatures::parse(" \n").is_none());
    }
}

//! The key of a command, and the header that tells a repeat.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::extract::header_text;
use crate::problem::{Code, Problem};

/// Says that the answer is that of an earlier request with the same key.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in characters.
pub const MAX_KEY_CHARS: usize = 255;

/// The key of a command: every command has one.
pub fn key(headers: &HeaderMap) -> Result<&str, Problem> {
    let key = header_text(headers, "idempotency-key")?.filter(|key| !key.is_empty());
    let key = key.ok_or(Code::IdempotencyKeyMissing)?;
    let visible = key.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if !visible || key.len() > MAX_KEY_CHARS {
        let detail = format!("has 1 to {MAX_KEY_CHARS} visible ASCII characters");
        return Err(Problem::from(Code::InvalidHeader).mistake("Idempotency-Key", detail));
    }
    Ok(key)
}

/// The problem of a key that was used for another request; `used` says when and for what, as far as that is known.
pub fn reused(key: &str, used: Option<&str>) -> Problem {
    let used = used.unwrap_or("for another request");
    Problem::from(Code::IdempotencyKeyReused).detail(format!(
        "the key `{key}` was used {used}, whose method, path, `If-Match` or body was not this one; nothing happened now. \
         Draw a new key for a new command, or send the old request as it was to get its answer again"
    ))
}

/// Marks an answer as a repeat.
pub fn mark_replayed(headers: &mut HeaderMap) {
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_visible_ascii() {
        let asked = |key: &str| {
            let value = HeaderValue::from_str(key).unwrap();
            let headers =
                HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), value)]);
            super::key(&headers).map(str::to_owned).map_err(|problem| problem.code())
        };
        assert_eq!(asked("k-1").as_deref(), Ok("k-1"));
        assert_eq!(asked(""), Err("idempotency_key_missing"));
        assert_eq!(asked("a b"), Err("invalid_header"));
        assert_eq!(asked(&"k".repeat(256)), Err("invalid_header"));
        assert_eq!(key(&HeaderMap::new()).unwrap_err().code(), "idempotency_key_missing");
    }
}

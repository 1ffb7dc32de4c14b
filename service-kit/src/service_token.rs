//! The token by which a service says who it is where it asks something on its own account.
//!
//! **Invariant:** it is in no log and no message; what is sent is what the file holds now.

use std::sync::Arc;

use axum::http::HeaderValue;

use crate::watched::{NamedFile, Watched, WrongFile};

/// The longest token that is taken anywhere, in bytes.
const MOST_BYTES: usize = 8 * 1024;

/// A token that is renewed. Cheap to clone.
#[derive(Clone)]
pub struct ServiceToken(Source);

#[derive(Clone)]
enum Source {
    /// Somebody renews it in a file.
    File(Watched<HeaderValue>),
    /// It is signed for each request.
    Signed(Arc<dyn Fn() -> Option<String> + Send + Sync>),
}

impl std::fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceToken(..)")
    }
}

impl ServiceToken {
    /// Reads the file, and reads it again when it changes.
    pub fn start(file: NamedFile) -> Result<Self, WrongFile> {
        let named = file.clone();
        let read = Watched::start(vec![file], move |found| bearer(&named, &found[0]));
        read.map(|held| Self(Source::File(held)))
    }

    /// One that is signed anew for each request; nothing where it can't be.
    pub fn signed(sign: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Source::Signed(Arc::new(sign)))
    }

    /// The value of `Authorization`, as it is now.
    pub fn authorization(&self) -> Option<HeaderValue> {
        match &self.0 {
            Source::File(held) => Some(HeaderValue::clone(&held.current())),
            Source::Signed(sign) => value(sign()?.as_bytes()),
        }
    }
}

fn value(token: &[u8]) -> Option<HeaderValue> {
    let is_one = token.len() <= MOST_BYTES && token.iter().all(u8::is_ascii_graphic);
    let mut value =
        HeaderValue::from_bytes(&[b"Bearer ", token].concat()).ok().filter(|_| is_one)?;
    value.set_sensitive(true);
    Some(value)
}

fn bearer(file: &NamedFile, text: &[u8]) -> Result<HeaderValue, WrongFile> {
    let token = text.trim_ascii();
    if token.is_empty() {
        return Err(file.wrong("is empty"));
    }
    value(token).ok_or_else(|| file.wrong("holds no token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_word_and_is_shown_to_nobody() {
        let file = NamedFile::new("service_token_file", "/tokens/token");
        let value = bearer(&file, b"a.b.c\n").unwrap();
        assert_eq!(value.as_bytes(), b"Bearer a.b.c");
        assert!(!format!("{value:?}").contains("a.b.c"));
        let long = "x".repeat(MOST_BYTES + 1);
        for wrong in ["", " \n", "a b", "a\nb", "é", &long] {
            let said = bearer(&file, wrong.as_bytes()).unwrap_err().to_string();
            assert!(said.starts_with("service_token_file: /tokens/token "), "{said}");
            assert!(!said.contains(wrong.trim()) || wrong.trim().is_empty(), "{said}");
        }
    }
}

//! Values as they may be shown.
//!
//! **Invariant:** no password, token or key of a value is in what is shown of it.

use reqwest::Url;

/// What stands where something is hidden.
const HIDDEN: &str = "***";

/// A value without what is secret in it. One that is `secret` and no address is hidden whole.
pub(super) fn redacted(value: &str, secret: bool) -> String {
    let parts: Vec<String> = value.split(',').map(|part| one(part, secret)).collect();
    parts.join(",")
}

fn one(part: &str, secret: bool) -> String {
    let url = Url::parse(part.trim()).ok().filter(Url::has_host);
    match url.map(shown) {
        Some(Some(shown)) => shown,
        None if secret => HIDDEN.to_owned(),
        Some(None) | None => part.to_owned(),
    }
}

/// An address with what is secret in it hidden; `None` when nothing is.
fn shown(mut url: Url) -> Option<String> {
    let names_secret = |name: &str| name.to_lowercase().contains("password");
    let in_query = url.query_pairs().any(|(name, _)| names_secret(&name));
    // An address of NATS may have a token where others have a user.
    let is_token = !url.scheme().starts_with("postgres") && !url.username().is_empty();
    // Setting either can't fail: the address has a host.
    if url.password().is_some() {
        let _ = url.set_password(Some(HIDDEN));
    } else if is_token {
        let _ = url.set_username(HIDDEN);
    } else if !in_query {
        return None;
    }
    if in_query {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let mut query = url.query_pairs_mut();
        query.clear();
        for (name, value) in &pairs {
            query.append_pair(name, if names_secret(name) { HIDDEN } else { value });
        }
    }
    Some(url.to_string().replace("%2A%2A%2A", HIDDEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_tokens_are_hidden_and_the_rest_is_shown() {
        for (value, shown) in [
            ("postgres://shop:geheim@db:5432/log", "postgres://shop:***@db:5432/log"),
            ("postgres://shop@db/log", "postgres://shop@db/log"),
            (
                "postgres://db/log?user=shop&password=geheim&sslmode=require",
                "postgres://db/log?user=shop&password=***&sslmode=require",
            ),
            ("nats://geheim@n1:4222", "nats://***@n1:4222"),
            ("nats://a:geheim@n1,nats://a:geheim@n2", "nats://a:***@n1,nats://a:***@n2"),
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
        ] {
            assert_eq!(redacted(value, false), shown);
            assert!(!redacted(value, true).contains("geheim"), "{value}");
        }
        assert_eq!(redacted("geheim", true), "***");
        assert_eq!(redacted("localhost:4222", true), "***");
    }
}

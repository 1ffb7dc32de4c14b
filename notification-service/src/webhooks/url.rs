//! The address of an endpoint, as text.

use reqwest::Url;

/// The longest address, in characters.
const MOST_CHARS: usize = 2_000;

/// Why a text is no address of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoUrl {
    #[error(
        "is not an absolute URL that begins with `https://`, or with `http://` for a listed network"
    )]
    Unreadable,
    #[error("has at most 2,000 characters")]
    TooLong,
    #[error(
        "holds a user name or a password, which would be in every log; let the path say who it is for"
    )]
    Credentials,
    #[error("has a fragment, which no receiver sees")]
    Fragment,
    #[error("has port 0, at which nobody listens")]
    Port,
}

/// Reads an address. Whether it may be asked is another question.
pub(crate) fn parse_url(text: &str) -> Result<Url, NoUrl> {
    if text.chars().count() > MOST_CHARS {
        return Err(NoUrl::TooLong);
    }
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or(NoUrl::Unreadable)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NoUrl::Credentials);
    }
    if url.fragment().is_some() {
        return Err(NoUrl::Fragment);
    }
    if url.port() == Some(0) {
        return Err(NoUrl::Port);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_has_a_host_and_tells_no_secrets() {
        assert!(parse_url("https://shop.example/hooks?for=docket").is_ok());
        for (text, wrong) in [
            ("shop.example/hooks", NoUrl::Unreadable),
            ("ftp://shop.example", NoUrl::Unreadable),
            ("file:///etc/passwd", NoUrl::Unreadable),
            ("gopher://127.0.0.1:6379/_FLUSHALL", NoUrl::Unreadable),
            ("https://", NoUrl::Unreadable),
            ("https://ada:secret@shop.example", NoUrl::Credentials),
            ("https://shop.example:0/", NoUrl::Port),
            ("https://shop.example#here", NoUrl::Fragment),
            (&format!("https://shop.example/{}", "a".repeat(2_000)), NoUrl::TooLong),
        ] {
            assert_eq!(parse_url(text).unwrap_err(), wrong, "{text}");
        }
    }
}

//! Where the mail server is, as an address says it.

use access::is_this_machine;
use reqwest::Url;

/// The port of TLS from the first byte on (RFC 8314).
const SEALED_PORT: u16 = 465;
/// The port where a connection is sealed by STARTTLS (RFC 6409).
const SUBMISSION_PORT: u16 = 587;

/// How the connection is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte on.
    Tls,
    /// By STARTTLS, or not used.
    StartTls,
    /// Not at all.
    Clear,
}

/// Where the mail server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
}

/// Why a text is not where a mail server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidServer {
    /// It is something else.
    #[error(
        "is no address like smtps://mail.example, smtp://mail.example (with STARTTLS) or smtp://127.0.0.1:25?tls=off"
    )]
    Form,
    /// A user or a password is in it.
    #[error(
        "has a user or a password in it: they are settings of their own, mail_user and mail_password_file"
    )]
    Credentials,
    /// What follows the `?` is not `tls=off`, or is at `smtps`.
    #[error("can say ?tls=off after smtp://, and nothing else")]
    Query,
    /// Mails would go over the network in clear.
    #[error("says ?tls=off, and is not on this machine: mails would go over the network in clear")]
    ClearText,
}

impl MailServer {
    /// Reads `smtps://host[:port]`, or `smtp://host[:port]`, which is sealed by STARTTLS unless `?tls=off` follows, as it may
    /// for a server on this machine.
    pub fn parse(text: &str) -> Result<Self, InvalidServer> {
        let url = Url::parse(text).map_err(|_| InvalidServer::Form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidServer::Credentials);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(InvalidServer::Form)?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(InvalidServer::Form);
        }
        let (security, port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Security::Tls, SEALED_PORT),
            ("smtp", None) => (Security::StartTls, SUBMISSION_PORT),
            ("smtp", Some("tls=off")) if is_this_machine(host) => {
                (Security::Clear, SUBMISSION_PORT)
            }
            ("smtp", Some("tls=off")) => return Err(InvalidServer::ClearText),
            ("smtp" | "smtps", Some(_)) => return Err(InvalidServer::Query),
            _ => return Err(InvalidServer::Form),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: url.port().unwrap_or(port), security })
    }

    /// Whether what is sent there goes in clear.
    pub fn is_clear(&self) -> bool {
        self.security == Security::Clear
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, u16, Security) {
        let MailServer { host, port, security } = MailServer::parse(text).unwrap();
        (host, port, security)
    }

    #[test]
    fn a_connection_is_sealed_unless_somebody_says_that_it_is_not() {
        let host = || "mail.example".to_owned();
        assert_eq!(read("smtps://mail.example"), (host(), 465, Security::Tls));
        assert_eq!(read("smtp://mail.example/"), (host(), 587, Security::StartTls));
        assert_eq!(read("smtp://mail.example:2525"), (host(), 2525, Security::StartTls));
        assert_eq!(
            read("smtp://127.0.0.1:25?tls=off"),
            ("127.0.0.1".to_owned(), 25, Security::Clear)
        );
        assert_eq!(read("smtps://[::1]:465"), ("::1".to_owned(), 465, Security::Tls));
    }

    #[test]
    fn what_is_no_mail_server_is_refused() {
        for wrong in
            ["", "mail.example", "mail.example:25", "http://mail.example", "smtp://", "smtp://a/b"]
        {
            assert_eq!(MailServer::parse(wrong), Err(InvalidServer::Form), "{wrong}");
        }
        for wrong in ["smtp://a?tls=no", "smtps://a?tls=off", "smtp://a?tls=required"] {
            assert_eq!(MailServer::parse(wrong), Err(InvalidServer::Query), "{wrong}");
        }
        for wrong in
            ["smtp://mail.example:25?tls=off", "smtp://10.0.0.7?tls=off", "smtp://[::]?tls=off"]
        {
            assert_eq!(MailServer::parse(wrong), Err(InvalidServer::ClearText), "{wrong}");
        }
        for right in ["smtp://localhost:25?tls=off", "smtp://[::1]?tls=off"] {
            assert!(MailServer::parse(right).unwrap().is_clear(), "{right}");
        }
        for wrong in ["smtp://ada@a", "smtp://ada:geheim@a"] {
            let refused = MailServer::parse(wrong).unwrap_err();
            assert!(!refused.to_string().contains("geheim"), "{refused}");
            assert_eq!(refused, InvalidServer::Credentials);
        }
    }
}

//! A mail as it is handed to a mail server.
//!
//! **Invariant:** the same notice has the same `Message-ID` whenever it is sent, and nothing that is filled in begins another header.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Message};

use super::answer::Unsent;
use super::templates::Words;

/// Says that no person wrote it, so that nobody's absence is answered to it (RFC 3834).
const AUTO_SUBMITTED: &str = "Auto-Submitted";

/// The text is not whom mail can be from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no sender like orders@shop.example or Shop <orders@shop.example>")]
pub struct InvalidSender;

/// Whom mail is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderAddress(Mailbox);

impl SenderAddress {
    /// Reads an address, with or without a name before it.
    pub fn parse(text: &str) -> Result<Self, InvalidSender> {
        if text.chars().any(char::is_control) {
            return Err(InvalidSender);
        }
        let mailbox: Mailbox = text.parse().map_err(|_| InvalidSender)?;
        // It stands in ids, and before servers that need not know more.
        if mailbox.email.to_string().is_ascii() { Ok(Self(mailbox)) } else { Err(InvalidSender) }
    }

    /// What is behind the `@`.
    pub(crate) fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

/// What a notice is called wherever a mail of it goes.
pub(super) fn message_id(event_id: &str, from: &SenderAddress) -> String {
    format!("<{event_id}@{}>", from.domain())
}

/// A mail, ready to be sent. No `Debug`: an address is in it.
pub(super) struct Outgoing {
    pub(super) envelope: Envelope,
    pub(super) content: Vec<u8>,
}

/// Puts a mail together.
pub(super) fn compose(
    from: &SenderAddress,
    to: Address,
    event_id: &str,
    at: DateTime<Utc>,
    words: Words,
) -> Result<Outgoing, Unsent> {
    let is_machine = HeaderName::new_from_ascii_str(AUTO_SUBMITTED);
    let message = Message::builder()
        .from(from.0.clone())
        .to(Mailbox::new(None, to))
        .subject(words.subject)
        .message_id(Some(message_id(event_id, from)))
        .date(SystemTime::from(at))
        .raw_header(HeaderValue::new(is_machine, "auto-generated".to_owned()))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(words.body)
        .map_err(|_| Unsent::NotWritten)?;
    Ok(Outgoing { envelope: message.envelope().clone(), content: message.formatted() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str, body: &str) -> String {
        let from = SenderAddress::parse("Käse & Co <orders@shop.example>").unwrap();
        let words = Words { subject: subject.to_owned(), body: body.to_owned() };
        let to = "ada@example.org".parse().unwrap();
        let mail = compose(&from, to, "id-1", DateTime::UNIX_EPOCH, words).ok().unwrap();
        String::from_utf8(mail.content).unwrap()
    }

    #[test]
    fn a_mail_says_what_it_is_and_no_line_of_it_ends_early() {
        let mail = mail("Bestellung ä bestätigt", "Grüße\nFrom here on\n.\n");
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Message-ID: <id-1@shop.example>\r\n"), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
        // Without it the other two mean nothing (RFC 2045).
        assert_eq!(head.matches("MIME-Version: 1.0\r\n").count(), 1, "{head}");
        assert!(head.contains("Content-Type: text/plain; charset=utf-8"), "{head}");
        assert!(head.contains("Content-Transfer-Encoding: quoted-printable"), "{head}");
        assert!(head.contains("To: ada@example.org"), "{head}");
        assert!(head.is_ascii() && body.is_ascii(), "{mail}");
    }

    #[test]
    fn nothing_in_a_subject_is_a_header() {
        let mail = mail("a\r\nBcc: eve@example.org\r\n\r\nb", "c");
        let head = mail.split_once("\r\n\r\n").unwrap().0;
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{mail}");
        assert!(mail.ends_with("\r\n\r\nc"), "{mail}");
    }

    #[test]
    fn a_sender_is_an_address_of_ascii_letters() {
        for right in ["orders@shop.example", "Shop <orders@shop.example>", "\"A, B\" <o@s.example>"]
        {
            SenderAddress::parse(right).unwrap();
        }
        for wrong in
            ["", "shop", "shop@", "a@b, c@d", "ä@shop.example", "Shop\r\nBcc: e@f <o@s.example>"]
        {
            assert_eq!(SenderAddress::parse(wrong), Err(InvalidSender), "{wrong}");
        }
    }
}

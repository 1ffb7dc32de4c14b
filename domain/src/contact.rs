//! How a person is reached, as a client gives it: checked lightly, then sealed. Neither is ever stored or decided about in
//! clear, so neither can be read from an event.

use std::fmt;

use crate::given::FromClient;
use crate::text::Label;

/// The most characters of either.
const LIMIT: usize = 200;
/// The fewest digits of a number that somebody can be called under.
const FEWEST_DIGITS: usize = 3;

/// Why a text is no way to reach somebody. It does not repeat the text, which is personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidContact {
    /// No mail could get there.
    #[error(
        "a mail address is one address alone: something on both sides of its `@`, no blanks, no comma, semicolon or angle bracket, and at most {LIMIT} characters"
    )]
    MailAddress,
    /// Nobody could call it.
    #[error(
        "a telephone number has at least {FEWEST_DIGITS} digits and at most {LIMIT} characters"
    )]
    PhoneNumber,
}

// No `Debug` that tells: neither must reach a log.

/// A mail address.
#[derive(Clone, PartialEq, Eq)]
pub struct MailAddress(Box<str>);

/// A telephone number, however it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(Box<str>);

impl FromClient for MailAddress {
    type Refused = InvalidContact;

    fn from_client(text: &str) -> Result<Self, InvalidContact> {
        let text = text.trim();
        let reachable = text.rsplit_once('@').is_some_and(|(who, where_to)| {
            !who.is_empty() && !where_to.is_empty() && !text.chars().any(is_no_part_of_one)
        });
        if reachable && text.chars().count() <= LIMIT {
            Ok(Self(text.into()))
        } else {
            Err(InvalidContact::MailAddress)
        }
    }

    /// It was any short text.
    fn from_before(text: &str) -> Option<Self> {
        Label::parse(text).ok().map(|text| Self(text.as_str().into()))
    }

    fn as_text(&self) -> &str {
        &self.0
    }
}

impl FromClient for PhoneNumber {
    type Refused = InvalidContact;

    fn from_client(text: &str) -> Result<Self, InvalidContact> {
        let text = text.trim();
        let digits = text.chars().filter(|character| character.is_numeric()).count();
        let fits = text.chars().count() <= LIMIT && !text.chars().any(char::is_control);
        if digits >= FEWEST_DIGITS && fits {
            Ok(Self(text.into()))
        } else {
            Err(InvalidContact::PhoneNumber)
        }
    }

    /// It was any short text.
    fn from_before(text: &str) -> Option<Self> {
        Label::parse(text).ok().map(|text| Self(text.as_str().into()))
    }

    fn as_text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress(..)")
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(..)")
    }
}

/// What separates or wraps addresses where mail is sent, or would end a line there.
fn is_no_part_of_one(character: char) -> bool {
    character.is_whitespace() || character.is_control() || ",;<>".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_address_has_something_around_its_at() {
        for right in
            ["ada@example.org", " ada@example.org ", "a@b", "\"a@b\"@c", "ä+x@müller.example"]
        {
            let address = MailAddress::from_client(right).unwrap();
            assert_eq!(address.as_text(), right.trim());
        }
        let long = format!("{}@example.org", "x".repeat(200));
        for wrong in
            ["", " ", "ada", "@", "ada@", "@example.org", "a da@example.org", "a\n@b", &long]
        {
            assert!(MailAddress::from_client(wrong).is_err(), "{wrong:?}");
        }
        for several in ["a@b.org>,<c@b.org", "a@b.org,c@b.org", "a@b.org;c@b.org", "<a@b.org>"] {
            assert!(MailAddress::from_client(several).is_err(), "{several:?}");
        }
    }

    #[test]
    fn a_telephone_number_has_digits_however_it_is_written() {
        for right in ["0123456", "+44 (0)20 7946 0000 ext. 5", "1-800-FLOWERS", "٠١٢٣"] {
            assert_eq!(PhoneNumber::from_client(right).unwrap().as_text(), right);
        }
        for wrong in ["", "call me", "12", "+-()", "123\u{7}", &"1".repeat(201)] {
            assert!(PhoneNumber::from_client(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_said_of_them_is_not_what_they_are() {
        let (mail, phone) =
            (MailAddress::from_client("ada@b"), PhoneNumber::from_client("0123456"));
        let said = format!("{mail:?} {phone:?} {}", InvalidContact::MailAddress);
        assert!(!said.contains("ada") && !said.contains("0123456"), "{said}");
    }
}

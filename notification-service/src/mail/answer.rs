//! Why a mail was not sent.
//!
//! **Invariant:** nothing here holds an address, nor words of a mail server.

use std::time::Duration;

/// How far the conversation with the mail server had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It greets, and tells what it can.
    Greeting,
    /// It is told who we are.
    LogIn,
    /// It is told whom the mail is from.
    Sender,
    /// It is told whom the mail is for.
    Recipient,
    /// It is told what the mail says.
    Content,
}

impl Step {
    fn in_words(self) -> &'static str {
        match self {
            Self::Greeting => "the connection",
            Self::LogIn => "user and password",
            Self::Sender => "the sender",
            Self::Recipient => "the recipient",
            Self::Content => "the mail",
        }
    }
}

/// Why a mail was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsent {
    /// The mail server said no, with this SMTP status.
    #[error("the mail server refused {}", .step.in_words())]
    Refused {
        /// What was refused.
        step: Step,
        /// The status: 4xx for now, 5xx for good.
        status: u16,
    },
    /// There is no connection to it.
    #[error("the mail server can't be reached")]
    NotReached,
    /// The connection can't be sealed so that it can be trusted.
    #[error("there is no TLS connection to the mail server that can be trusted")]
    NotSealed,
    /// It has no way to log in that we know.
    #[error("the mail server takes no user and password")]
    NoLogIn,
    /// It was too slow. It may have taken the mail.
    #[error("the mail server took longer than {0:?}")]
    Late(Duration),
    /// The conversation broke off. It may have taken the mail.
    #[error("the conversation with the mail server broke off")]
    Broken,
    /// The address has letters that the mail server can't take.
    #[error("the mail server takes no address with such letters (SMTPUTF8)")]
    Letters,
    /// The customer gave no address.
    #[error("the customer has no mail address")]
    NoAddress,
    /// What they gave is no address that mail can be sent to.
    #[error("the customer's mail address can't be used")]
    BadAddress,
    /// Their data was erased.
    #[error("the customer's data was erased")]
    Erased,
    /// Where they are looked up, or their key, can't be reached.
    #[error("the customer's address can't be looked up now")]
    Unknown,
    /// Their key is not the one that sealed it.
    #[error("the customer's address can't be opened")]
    NotOpened,
    /// What is kept of the notice, or its template, can't be made a mail.
    #[error("no mail can be made of it")]
    NotWritten,
}

impl Unsent {
    /// What the mail server answered, if it did.
    pub(crate) fn status(self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(status),
            Self::NotReached
            | Self::NotSealed
            | Self::NoLogIn
            | Self::Late(_)
            | Self::Broken
            | Self::Letters
            | Self::NoAddress
            | Self::BadAddress
            | Self::Erased
            | Self::Unknown
            | Self::NotOpened
            | Self::NotWritten => None,
        }
    }

    /// Whether it would be so for every other mail, too: something is wrong with the mail server, or with what is set.
    pub(crate) fn is_about_all(self) -> bool {
        match self {
            Self::NotReached
            | Self::NotSealed
            | Self::NoLogIn
            | Self::Late(_)
            | Self::Broken
            | Self::Unknown
            | Self::NotOpened => true,
            Self::Refused { step, .. } => !matches!(step, Step::Recipient | Step::Content),
            Self::Letters
            | Self::NoAddress
            | Self::BadAddress
            | Self::Erased
            | Self::NotWritten => false,
        }
    }
}

//! `Docket-Position`: an opaque token that names a place in one history of one log.

use std::fmt;
use std::str::FromStr;

use axum::http::{HeaderName, HeaderValue};

use crate::problem::{Code, Problem};

/// The header that every read and every accepted command carries.
pub const HEADER: HeaderName = HeaderName::from_static("docket-position");

/// A place in a log: which log, which epoch of it, which position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionToken {
    /// The log's id.
    pub log: String,
    /// The log's epoch.
    pub epoch: u32,
    /// The position.
    pub position: u64,
}

impl PositionToken {
    /// The header's value.
    pub fn to_header(&self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).unwrap_or(HeaderValue::from_static("0"))
    }
}

impl fmt::Display for PositionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.log, self.epoch, self.position)
    }
}

/// The text is no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no position: that is a whole number, or the value of a `Docket-Position` header")]
pub struct InvalidPosition(String);

/// What a client asks to have been reached: `?min_position=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedPosition {
    /// A bare number, of whatever history is served.
    Number(u64),
    /// A token of one history.
    Token(PositionToken),
}

impl WantedPosition {
    /// The position in the history of this log and epoch.
    pub fn within(&self, log: &str, epoch: u32) -> Result<u64, Problem> {
        match self {
            Self::Number(position) => Ok(*position),
            Self::Token(token) if token.log == log && token.epoch == epoch => Ok(token.position),
            Self::Token(token) => Err(Problem::from(Code::PositionOfAnotherHistory)
                .detail(format!("`{token}` is not of log {log}, epoch {epoch}"))),
        }
    }
}

impl FromStr for WantedPosition {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Number(position));
        }
        let mut parts = text.splitn(3, '-');
        let token = (|| {
            let log = parts.next().filter(|log| !log.is_empty())?.to_owned();
            let epoch = parts.next()?.parse().ok()?;
            let position = parts.next()?.parse().ok()?;
            Some(PositionToken { log, epoch, position })
        })();
        token.map(Self::Token).ok_or_else(|| InvalidPosition(text.to_owned()))
    }
}

impl<'de> serde::Deserialize<'de> for WantedPosition {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back() {
        let token = PositionToken { log: "4f2a".into(), epoch: 1, position: 812 };
        assert_eq!(token.to_string().parse(), Ok(WantedPosition::Token(token)));
        assert_eq!("812".parse(), Ok(WantedPosition::Number(812)));
        assert_eq!("x".parse::<WantedPosition>(), Err(InvalidPosition("x".into())));
    }

    #[test]
    fn a_token_of_another_history_is_a_conflict() {
        let wanted: WantedPosition = "4f2a-1-812".parse().unwrap();
        assert_eq!(wanted.within("4f2a", 1), Ok(812));
        assert_eq!(wanted.within("4f2a", 2).unwrap_err().code(), "position_of_another_history");
    }
}

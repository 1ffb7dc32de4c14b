//! Names of streams and subjects.
//!
//! **Invariant:** one log per set of names. A second log on the same NATS has a prefix of its own.

use std::sync::Arc;

/// What streams and subjects are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    prefix: Arc<str>,
    suffix: Arc<str>,
}

/// The prefix of the one log that most installations have.
const USUAL: &str = "docket";

impl Default for Names {
    fn default() -> Self {
        Self::of(USUAL)
    }
}

impl Names {
    /// Names with this prefix, a single token of a subject. `docket` has the streams `EVENTS` and `COMMANDS`, another
    /// prefix has `EVENTS_prefix` and `COMMANDS_prefix`.
    pub fn of(prefix: &str) -> Self {
        let prefix = token(prefix);
        let suffix = if prefix == USUAL { String::new() } else { format!("_{prefix}") };
        Self { prefix: prefix.into(), suffix: suffix.into() }
    }

    /// The stream of events.
    pub fn events(&self) -> String {
        format!("EVENTS{}", self.suffix)
    }

    /// The work queue of commands.
    pub fn commands(&self) -> String {
        format!("COMMANDS{}", self.suffix)
    }

    /// Every subject of the events' stream.
    pub fn all_events(&self) -> String {
        format!("{}.events.>", self.prefix)
    }

    /// The subject of events of one type.
    pub fn event(&self, log: &str, context: &str, event_type: &str) -> String {
        format!("{}.events.{}.{}.{}", self.prefix, token(log), token(context), token(event_type))
    }

    /// Every subject of the commands' queue.
    pub fn all_commands(&self) -> String {
        format!("{}.commands.>", self.prefix)
    }

    /// The subject of one command, by a name drawn from its id: ids are no valid tokens.
    pub(super) fn command(&self, name: &str) -> String {
        format!("{}.commands.{name}", self.prefix)
    }

    /// Where the log's owner tells how far it is.
    pub(super) fn announcements(&self) -> String {
        format!("{}.log.announced", self.prefix)
    }

    /// Where one asks how far it is.
    pub(super) fn announce(&self) -> String {
        format!("{}.log.announce", self.prefix)
    }

    /// Where one asks for history.
    pub(super) fn history(&self) -> String {
        format!("{}.log.history", self.prefix)
    }

    /// What a service is called where one looks for its processes: an installation with another prefix finds its own.
    pub(super) fn service(&self, service: &str) -> String {
        format!("{}{}", token(service), self.suffix)
    }

    /// Where one asks a service.
    pub(super) fn ask(&self, service: &str) -> String {
        format!("{}.ask.{}", self.prefix, token(service))
    }
}

/// What the subjects begin with under which a service hears answers, such as `_INBOX_gateway`.
pub(super) fn inbox(service: &str) -> String {
    format!("_INBOX_{}", token(service))
}

/// A text as one token of a subject.
fn token(text: &str) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() || letter == '_' || letter == '-' => letter,
        _ => '_',
    };
    if text.is_empty() { "_".to_owned() } else { text.chars().map(plain).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_whatever_they_are_made_of() {
        let names = Names::default();
        assert_eq!(names.events(), "EVENTS");
        assert_eq!(
            names.event("x1", "stock", "Stock.Received*"),
            "docket.events.x1.stock.Stock_Received_"
        );
        assert_eq!(names.event("x1", "", "É >"), "docket.events.x1._.___");
        let other = Names::of("shop 2");
        assert_eq!(other.commands(), "COMMANDS_shop_2");
        assert_eq!(other.all_events(), "shop_2.events.>");
        assert_eq!(names.service("gateway"), "gateway");
        assert_eq!(other.service("gateway"), "gateway_shop_2");
    }
}

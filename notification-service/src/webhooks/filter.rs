//! Which types of public events an endpoint wants.

use crate::public::PublicEvent;

/// The types that an endpoint wants: all, or those of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter(Vec<String>);

/// A text names no types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no type of public events, and no group of them like `order.*`")]
pub(crate) struct NoFilter(String);

impl Filter {
    /// A list of types, such as `order.placed`, and groups, such as `order.*`; an empty one is all.
    pub(crate) fn parse(wanted: Vec<String>) -> Result<Self, NoFilter> {
        match wanted.iter().find(|word| !means_something(word)) {
            Some(wrong) => Err(NoFilter(wrong.clone())),
            None => Ok(Self(wanted)),
        }
    }

    /// What was stored, read again: a type that is gone meanwhile is wanted in vain.
    pub(crate) fn stored(wanted: Vec<String>) -> Self {
        Self(wanted)
    }

    /// The list; empty for all.
    pub(crate) fn words(&self) -> &[String] {
        &self.0
    }

    /// Whether a type is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| covers(word, name))
    }
}

fn covers(word: &str, name: &str) -> bool {
    match word.strip_suffix('*') {
        Some(group) => name.starts_with(group),
        None => word == name,
    }
}

fn means_something(word: &str) -> bool {
    let group = word.strip_suffix(".*");
    let in_group = |name: &str| {
        group
            .is_some_and(|group| name.strip_prefix(group).is_some_and(|rest| rest.starts_with('.')))
    };
    PublicEvent::is_type(word) || PublicEvent::TYPES.iter().any(|kind| in_group(kind.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(words: &[&str]) -> Result<Filter, NoFilter> {
        Filter::parse(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[test]
    fn types_and_groups_are_wanted_and_nothing_said_is_all() {
        let some = filter(&["order.*", "payment.refunded"]).unwrap();
        for wanted in ["order.placed", "order.cancelled", "payment.refunded"] {
            assert!(some.wants(wanted), "{wanted}");
        }
        assert!(!some.wants("payment.captured") && !some.wants("parcel.shipped"));
        assert!(filter(&[]).unwrap().wants("parcel.shipped"));
    }

    #[test]
    fn what_names_no_type_is_refused() {
        for wrong in
            ["order", "*", ".*", "order.*.placed", "ord.*", "order.plcaed", "OrderPlaced", ""]
        {
            assert_eq!(filter(&[wrong]).unwrap_err(), NoFilter(wrong.to_owned()));
        }
    }
}

//! What a client says now, held to today's rules.
//!
//! A stored id or text is read as it is, for ever: its own `Deserialize` is lenient. What comes in is read through
//! [`Given`], whose rules may be stricter than those of the day when something older was stored.
//!
//! **Invariant:** a [`Given`] is serialized as it was sent, so that a repeated request is known by what was sent, also when
//! it breaks a rule that is younger than it: see [`as_before`].

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

/// A type that a client may give a value of.
pub trait FromClient: Sized {
    /// Why a text is refused.
    type Refused: Display;

    /// The value of a text that a client gives now.
    fn from_client(text: &str) -> Result<Self, Self::Refused>;

    /// The value of a text that a client may have given under older rules.
    fn from_before(text: &str) -> Option<Self>;

    /// The value as text.
    fn as_text(&self) -> &str;
}

thread_local! {
    static AS_BEFORE: Cell<bool> = const { Cell::new(false) };
}

/// Reads what a client sent as it could have been read when older rules held: only to know a request again that was carried
/// out then, never to carry it out.
pub fn as_before<T>(read: impl FnOnce() -> T) -> T {
    struct Restored(bool);
    impl Drop for Restored {
        fn drop(&mut self) {
            AS_BEFORE.set(self.0);
        }
    }
    let _restored = Restored(AS_BEFORE.replace(true));
    read()
}

/// A value that a client gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<T> {
    value: T,
    /// What was sent, where it was not the value's own text.
    sent: Option<Box<str>>,
}

impl<T> Given<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// A copy of the value.
    pub fn value(&self) -> T
    where
        T: Clone,
    {
        self.value.clone()
    }
}

impl<T: FromClient> Serialize for Given<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.sent.as_deref().unwrap_or(self.value.as_text()))
    }
}

impl<'de, T: FromClient> Deserialize<'de> for Given<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let value = T::from_client(&text).or_else(|refused| {
            let before = if AS_BEFORE.get() { T::from_before(&text) } else { None };
            before.ok_or_else(|| serde::de::Error::custom(refused))
        })?;
        let sent = (value.as_text() != &*text).then(|| text.into());
        Ok(Self { value, sent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::MailAddress;
    use crate::ids::{OrderId, Sku};
    use crate::text::{Country, Label, Reason};

    fn given<T: FromClient>(text: &str) -> Result<Given<T>, String> {
        serde_json::from_value(text.into()).map_err(|error| error.to_string())
    }

    #[test]
    fn blanks_around_a_text_are_no_part_of_it() {
        let name = given::<Label>(" CARD CAT AND TREE ").unwrap();
        assert_eq!(name.get().as_str(), "CARD CAT AND TREE");
        assert_eq!(given::<Reason>("found\u{a0}").unwrap().get().as_str(), "found");
        assert!(given::<Label>(" \u{2003} ").is_err());
        let long = format!(" {} ", "x".repeat(200));
        assert_eq!(given::<Label>(&long).unwrap().get().as_str().len(), 200);
    }

    #[test]
    fn a_repeat_is_known_by_what_was_sent() {
        for sent in ["\" A \"", "\"A\""] {
            let name: Given<Label> = serde_json::from_str(sent).unwrap();
            assert_eq!(serde_json::to_string(&name).unwrap(), sent);
        }
    }

    #[test]
    fn an_id_that_no_url_can_name_or_nobody_can_see_is_not_given_any_more() {
        let odd = [
            ".",
            "..",
            "a/b",
            "/",
            " a",
            "a ",
            "a\u{a0}",
            "a\u{a0}b",
            "a\nb",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{202e}b",
            "a\u{2028}b",
            "\u{ad}",
            " ",
            "",
        ];
        for wrong in odd {
            assert!(given::<Sku>(wrong).is_err(), "{wrong:?}");
            assert!(given::<OrderId>(wrong).is_err(), "{wrong:?}");
        }
        assert!(given::<Sku>(&"x".repeat(65)).is_err());
    }

    #[test]
    fn what_was_given_under_older_rules_is_known_again_and_given_no_more() {
        for sent in ["a/b", "..", " a ", "a\u{200b}b"] {
            let before = as_before(|| given::<Sku>(sent)).unwrap();
            assert_eq!(serde_json::to_value(&before).unwrap(), sent);
            assert!(given::<Sku>(sent).is_err(), "{sent:?}");
        }
        let mail = as_before(|| given::<MailAddress>("no address")).unwrap();
        assert_eq!(serde_json::to_value(&mail).unwrap(), "no address");
        assert!(as_before(|| given::<Sku>("")).is_err(), "that was never taken");
    }

    #[test]
    fn what_a_real_shop_calls_its_products_is_given_as_written() {
        for code in [
            "22423",
            "85123A",
            "85123a",
            "BANK CHARGES",
            "gift_0001_20",
            "DCGS0003",
            "C2",
            "m",
            "15056-BL ack",
            "...",
            "a..b",
            "50%",
            "a?b#c",
            "né",
            "🍰",
        ] {
            assert_eq!(given::<Sku>(code).unwrap().get().as_str(), code);
        }
    }

    #[test]
    fn what_was_stored_under_older_rules_is_still_read() {
        for text in ["..", "a/b", " a ", "a\u{200b}b"] {
            let stored = serde_json::Value::from(text);
            assert_eq!(serde_json::from_value::<Sku>(stored.clone()).unwrap().as_str(), text);
            assert_eq!(serde_json::from_value::<Label>(stored.clone()).unwrap().as_str(), text);
            assert_eq!(serde_json::from_value::<Country>(stored).unwrap().as_str(), text);
        }
    }
}

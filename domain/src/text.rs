//! Outside text and counts, parsed into types once, at the edge.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::figures::grouped;
use crate::given::FromClient;

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the text has 1 to {limit} characters, not only blanks and none of them a control character"
)]
pub struct InvalidText {
    limit: usize,
}

macro_rules! bounded_texts {
    ($($(#[$doc:meta])* $name:ident: $limit:literal),+ $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the text, kept as it is: so is what was stored read.
            pub fn parse(text: &str) -> Result<Self, InvalidText> {
                let fits = text.chars().any(|c| !c.is_whitespace())
                    && text.chars().count() <= $limit
                    && !text.chars().any(char::is_control);
                if fits { Ok(Self(text.into())) } else { Err(InvalidText { limit: $limit }) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": $limit })
            }
        }
    )+ };
}

bounded_texts! {
    /// A name or another short text that people read. A person's is sealed before it gets here; what is not, such as an
    /// order's reference, is kept when a person is erased.
    Label: 200,
    /// Why something was done, in a person's words. Not personal data: nothing erases it, and the API says so wherever it
    /// takes one.
    Reason: 500,
    /// The country of an address, kept as given; not personal, because reports group by it.
    Country: 60,
    /// How an order is to be paid; the provider knows what it means.
    PaymentMethod: 64,
    /// What the provider calls a payment.
    ProviderReference: 255,
}

macro_rules! trimmed_when_given {
    ($($name:ident),+) => { $(
        impl FromClient for $name {
            type Refused = InvalidText;

            fn from_client(text: &str) -> Result<Self, InvalidText> {
                Self::parse(text.trim())
            }

            fn from_before(text: &str) -> Option<Self> {
                Self::parse(text).ok()
            }

            fn as_text(&self) -> &str {
                self.as_str()
            }
        }
    )+ };
}

// Not of a country: that is kept as given.
trimmed_when_given! { Label, Reason, PaymentMethod }

impl Reason {
    /// One of our own stable codes, such as `payment_failed`.
    pub fn code(code: &'static str) -> Self {
        Self(code.into())
    }
}

/// A count of units: at least 1, at most 1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Quantity(u32);

/// The number is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is a whole number from 1 to {}", grouped(Quantity::MAX))]
pub struct InvalidQuantity;

impl Quantity {
    /// The largest quantity of one line.
    pub const MAX: u32 = 1_000_000_000;

    /// Checks the bounds.
    pub fn new(units: u32) -> Result<Self, InvalidQuantity> {
        if (1..=Self::MAX).contains(&units) { Ok(Self(units)) } else { Err(InvalidQuantity) }
    }

    /// The number of units.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The sum; `None` when it is over the largest quantity.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(self.0.checked_add(other.0)?).ok()
    }

    /// What is left after `other` is taken away; `None` when nothing is.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::new(self.0.checked_sub(other.0)?).ok()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let units = i64::deserialize(deserializer)?;
        let units = u32::try_from(units).map_err(|_| serde::de::Error::custom(InvalidQuantity))?;
        Self::new(units).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": Quantity::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_has_1_to_60_characters_not_only_blanks_and_is_kept_as_given() {
        assert_eq!(Country::parse("European Community").unwrap().as_str(), "European Community");
        assert!(Country::parse("").is_err());
        assert_eq!(Country::parse(" UK").unwrap().as_str(), " UK");
        for blank in [" ", "  ", "\u{a0}\u{2003}"] {
            assert!(Country::parse(blank).is_err(), "{blank:?}");
        }
        assert!(Country::parse(&"x".repeat(61)).is_err());
    }

    #[test]
    fn a_quantity_is_a_positive_whole_number() {
        for wrong in ["0", "-1", "1.5", "4294967297", "99999999999999999999", "\"1\"", "null"] {
            assert!(serde_json::from_str::<Quantity>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(serde_json::from_str::<Quantity>("7").unwrap().get(), 7);
    }
}

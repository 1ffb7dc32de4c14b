//! Money: integers in the smallest unit of a currency, never floats.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// An ISO 4217 currency, written as its three-letter code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// The text is not the code of an ISO 4217 currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ISO 4217 currency code")]
pub struct UnknownCurrency(String);

impl Currency {
    /// ISO 4217's code for "no currency": the currency of nothing, where none is known.
    pub const NONE: Self = Self(*b"XXX");

    /// Parses a code such as `GBP`.
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        match (iso_currency::Currency::from_code(code), <[u8; 3]>::try_from(code.as_bytes())) {
            (Some(_), Ok(bytes)) => Ok(Self(bytes)),
            _ => Err(UnknownCurrency(code.chars().take(12).collect())),
        }
    }

    /// The three-letter code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&code).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code" })
    }
}

/// An amount in the smallest unit of its currency (pennies for GBP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units; prices and amounts of commands are checked to be at least 0 where they are parsed.
    #[serde(rename = "amount")]
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The most that a price or an order's total can be, in minor units: a hundred billion of most currencies. So low
    /// that a sum over 900,000 orders of this size is still an `i64`.
    pub const MOST: i64 = 10_000_000_000_000;

    /// `minor` units of `currency`.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Minor units.
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// True for an amount of 0.
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum; `None` on overflow or mixed currencies.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.same(other)?;
        Some(Self { minor: self.minor.checked_add(other.minor)?, currency: self.currency })
    }

    /// The difference; `None` on overflow or mixed currencies.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.same(other)?;
        Some(Self { minor: self.minor.checked_sub(other.minor)?, currency: self.currency })
    }

    /// Refuses what no price and no total can be; `what` begins the message.
    pub fn check_bounds(self, what: impl FnOnce() -> String) -> Result<(), Refusal> {
        match self.minor {
            price @ ..0 => Err(Refusal::NegativePrice { price }),
            0..=Self::MOST => Ok(()),
            _ => Err(Refusal::AmountOverflow { what: what(), limit: Self::MOST }),
        }
    }

    /// The amount of `quantity` units at this price; `None` on overflow.
    pub fn times(self, quantity: u32) -> Option<Self> {
        Some(Self { minor: self.minor.checked_mul(i64::from(quantity))?, currency: self.currency })
    }

    fn same(self, other: Self) -> Option<()> {
        (self.currency == other.currency).then_some(())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (minor units)", self.minor, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbp(minor: i64) -> Money {
        Money::new(minor, Currency::parse("GBP").unwrap())
    }

    #[test]
    fn only_iso_4217_codes_are_currencies() {
        assert!(Currency::parse("GBP").is_ok());
        assert_eq!(Currency::parse("XXX"), Ok(Currency::NONE));
        for wrong in ["gbp", "GB", "POUND", "", "£££", "QQQ"] {
            assert!(Currency::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sums_refuse_overflow_and_mixed_currencies() {
        let eur = Money::new(1, Currency::parse("EUR").unwrap());
        assert_eq!(gbp(2).checked_add(gbp(3)), Some(gbp(5)));
        assert_eq!(gbp(2).checked_add(eur), None);
        assert_eq!(gbp(i64::MAX).checked_add(gbp(1)), None);
        assert_eq!(gbp(i64::MAX).times(2), None);
        assert_eq!(gbp(255).times(6), Some(gbp(1_530)));
    }

    #[test]
    fn money_reads_and_writes_as_amount_and_currency() {
        let text = r#"{"amount":255,"currency":"GBP"}"#;
        assert_eq!(serde_json::from_str::<Money>(text).unwrap(), gbp(255));
        assert_eq!(serde_json::to_string(&gbp(255)).unwrap(), text);
        assert!(serde_json::from_str::<Money>(r#"{"amount":2.55,"currency":"GBP"}"#).is_err());
    }
}

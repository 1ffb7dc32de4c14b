//! Parts of bodies that several commands share.

use domain::given::Given;
use domain::money::{Currency, Money};
use domain::orders::{LineQuantity, MOST_LINES};
use domain::refusal::Refusal;
use domain::text::{Quantity, Reason};
use serde::{Deserialize, Serialize};
use service_kit::business_time::BusinessTime;
use service_kit::described::LongText;
use service_kit::problem::Problem;

use super::problems::refused;
use super::told::command_bodies;

command_bodies! { TimeBody or nothing }
command_bodies! { ReasonBody with a reason, WhyBody with a reason }

/// A body of a command that needs to be told nothing.
#[derive(Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(super) struct TimeBody {
    /// Business time; now when absent.
    #[serde(default)]
    pub(super) occurred_at: Option<BusinessTime>,
}

/// A body of a command that takes a reason.
#[derive(Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the customer asked for it" }))]
pub(super) struct ReasonBody {
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[serde(default)]
    #[schema(value_type = Option<LongText>)]
    pub(super) reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    pub(super) occurred_at: Option<BusinessTime>,
}

/// A body of a command that has to say why: it is done to what is another's.
#[derive(Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the customer asked for it by letter" }))]
pub(super) struct WhyBody {
    /// Why, in a person's words; no personal data: it is kept when a person is erased. It stands in the event.
    #[serde(default)]
    #[schema(value_type = LongText, required)]
    pub(super) reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    pub(super) occurred_at: Option<BusinessTime>,
}

/// So many units of a line.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LineBody {
    /// The number of the line, counted from 1.
    line: u32,
    /// How many units.
    #[schema(value_type = u32, minimum = 1, maximum = 1_000_000_000)]
    quantity: Quantity,
}

/// The lines as the domain takes them.
pub(super) fn line_quantities(lines: &[LineBody]) -> Result<Vec<LineQuantity>, Problem> {
    check_count(lines.len())?;
    let quantity = |line: &LineBody| LineQuantity { line: line.line, quantity: line.quantity };
    Ok(lines.iter().map(quantity).collect())
}

/// Refuses too many lines before anything is read for them.
pub(super) fn check_count(lines: usize) -> Result<(), Problem> {
    if lines > MOST_LINES {
        return Err(refused(&Refusal::TooManyLines { lines, limit: MOST_LINES }));
    }
    Ok(())
}

/// Minor units of a price: at least 0, and at most what an order can come to.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[schema(value_type = i64, minimum = 0, maximum = 10_000_000_000_000_i64)]
pub(super) struct Amount(i64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let minor = i64::deserialize(deserializer)?;
        if minor < 0 {
            return Err(serde::de::Error::custom("a price is at least 0"));
        }
        Ok(Self(minor))
    }
}

/// A price with its currency.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceBody {
    /// Minor units.
    amount: Amount,
    /// ISO 4217.
    #[schema(value_type = String, format = "iso-4217", pattern = "^[A-Z]{3}$")]
    currency: Currency,
}

impl PriceBody {
    /// The price as the domain takes it.
    pub(super) fn money(&self) -> Money {
        Money::new(self.amount.0, self.currency)
    }
}

/// The price of a line: minor units of the order's currency, or an amount with its currency.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum LinePrice {
    /// Minor units of the order's currency.
    Minor(Amount),
    /// With its own currency, which has to be the order's.
    Money(PriceBody),
}

impl<'de> Deserialize<'de> for LinePrice {
    /// By hand, because an untagged enum forgets what was wrong and where.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LinePriceVisitor)
    }
}

struct LinePriceVisitor;

impl<'de> serde::de::Visitor<'de> for LinePriceVisitor {
    type Value = LinePrice;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number of minor units, at least 0, or an amount with its currency")
    }

    fn visit_i64<E: serde::de::Error>(self, minor: i64) -> Result<LinePrice, E> {
        if minor < 0 {
            return Err(E::custom("a price is at least 0"));
        }
        Ok(LinePrice::Minor(Amount(minor)))
    }

    fn visit_u64<E: serde::de::Error>(self, minor: u64) -> Result<LinePrice, E> {
        let minor = i64::try_from(minor).map_err(|_| E::custom("the price is too large"))?;
        self.visit_i64(minor)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<LinePrice, A::Error> {
        PriceBody::deserialize(serde::de::value::MapAccessDeserializer::new(map))
            .map(LinePrice::Money)
    }
}

impl LinePrice {
    /// The price as the domain takes it; `None` when it has no currency and none is known.
    pub(super) fn money(&self, currency: Currency) -> Money {
        match self {
            Self::Minor(amount) => Money::new(amount.0, currency),
            Self::Money(price) => price.money(),
        }
    }
}

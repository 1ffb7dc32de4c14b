//! The catalog price is to be another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PriceChanged, Product};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// The catalog price is to be another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePrice {
    /// The product.
    pub sku: Sku,
    /// The new price of one unit, from 0 to 10,000,000,000,000.
    pub unit_price: Money,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for ChangePrice {
    fn target(&self) -> Stream {
        Stream::Product(self.sku.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (sku, unit_price) = (self.sku.clone(), self.unit_price);
        unit_price.check_bounds(|| format!("the price of `{sku}`"))?;
        match view.product(&sku)? {
            Product::Absent => Err(Refusal::ProductNotFound { sku }.into()),
            Product::Discontinued(_) => Err(Refusal::ProductDiscontinued { sku }.into()),
            Product::Sold(listing) if listing.unit_price == unit_price => Ok(vec![]),
            Product::Sold(_) => {
                Ok(vec![PriceChanged { sku, unit_price, reason: self.reason.clone() }.into()])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{discontinued, gbp, product, sku};
    use super::*;
    use crate::spec::{given, given_nothing};

    fn change(minor: i64) -> ChangePrice {
        ChangePrice { sku: sku("22423"), unit_price: gbp(minor), reason: None }
    }

    fn changed(minor: i64) -> PriceChanged {
        PriceChanged { sku: sku("22423"), unit_price: gbp(minor), reason: None }
    }

    #[test]
    fn why_a_price_changes_is_kept_when_it_is_said() {
        let reason = Some(Reason::parse("a typing error").unwrap());
        given([product("22423", gbp(1_275))])
            .when(ChangePrice { reason: reason.clone(), ..change(1_095) })
            .then([PriceChanged { reason, ..changed(1_095) }]);
    }

    #[test]
    fn a_price_changes_once() {
        given([product("22423", gbp(1_275))])
            .when(change(1_095))
            .then([changed(1_095)])
            .when(change(1_095))
            .then_nothing();
    }

    #[test]
    fn only_a_product_that_is_sold_gets_another_price() {
        given_nothing()
            .when(change(1))
            .then_refused(&Refusal::ProductNotFound { sku: sku("22423") });
        given([product("22423", gbp(1_275))])
            .and([discontinued("22423")])
            .when(change(1))
            .then_refused(&Refusal::ProductDiscontinued { sku: sku("22423") });
    }

    #[test]
    fn a_price_is_at_least_0_and_at_most_what_an_order_can_come_to() {
        let known = given([product("22423", gbp(1_275))]);
        known.clone().when(change(-1)).then_refused(&Refusal::NegativePrice { price: -1 });
        known
            .when(change(Money::MOST))
            .then([changed(Money::MOST)])
            .when(change(Money::MOST + 1))
            .then_refused(&Refusal::AmountOverflow {
                what: "the price of `22423`".to_owned(),
                limit: Money::MOST,
            });
    }
}

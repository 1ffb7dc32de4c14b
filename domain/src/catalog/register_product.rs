//! A product is to be sold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Listing, Product, ProductRegistered};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Label;

/// A product is to be sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterProduct {
    /// Its stock keeping unit.
    pub sku: Sku,
    /// What people call it.
    pub name: Label,
    /// The catalog price of one unit, from 0 to 10,000,000,000,000.
    pub unit_price: Money,
    /// Whether units of it are kept in stock.
    pub stocked: bool,
}

impl Decide for RegisterProduct {
    fn target(&self) -> Stream {
        Stream::Product(self.sku.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let sku = &self.sku;
        self.unit_price.check_bounds(|| format!("the price of `{sku}`"))?;
        let wanted =
            Listing { name: self.name.clone(), unit_price: self.unit_price, stocked: self.stocked };
        match view.product(sku)? {
            Product::Absent => Ok(vec![
                ProductRegistered {
                    sku: sku.clone(),
                    name: wanted.name,
                    unit_price: wanted.unit_price,
                    stocked: wanted.stocked,
                }
                .into(),
            ]),
            Product::Sold(listing) if *listing == wanted => Ok(vec![]),
            Product::Discontinued(listing) if *listing == wanted => {
                Err(Refusal::ProductDiscontinued { sku: sku.clone() }.into())
            }
            Product::Sold(_) | Product::Discontinued(_) => {
                Err(Refusal::ProductExists { sku: sku.clone() }.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{discontinued, gbp, product, sku};
    use super::*;
    use crate::spec::{given, given_nothing};

    fn register(unit_price: Money) -> RegisterProduct {
        let ProductRegistered { sku, name, unit_price, stocked } = product("22423", unit_price);
        RegisterProduct { sku, name, unit_price, stocked }
    }

    #[test]
    fn a_new_sku_becomes_a_product_and_the_same_again_changes_nothing() {
        given_nothing()
            .when(register(gbp(1_275)))
            .then([product("22423", gbp(1_275))])
            .when(register(gbp(1_275)))
            .then_nothing();
    }

    #[test]
    fn a_sku_is_not_described_twice() {
        given([product("22423", gbp(1_275))])
            .when(register(gbp(999)))
            .then_refused(&Refusal::ProductExists { sku: sku("22423") });
    }

    #[test]
    fn a_product_that_is_sold_no_more_does_not_come_back() {
        given([product("22423", gbp(1_275))])
            .and([discontinued("22423")])
            .when(register(gbp(1_275)))
            .then_refused(&Refusal::ProductDiscontinued { sku: sku("22423") });
    }

    #[test]
    fn the_sku_of_a_product_that_is_sold_no_more_is_not_given_to_another() {
        given([product("22423", gbp(1_275))])
            .and([discontinued("22423")])
            .when(register(gbp(999)))
            .then_refused(&Refusal::ProductExists { sku: sku("22423") });
    }

    #[test]
    fn a_price_is_at_least_0_and_at_most_what_an_order_can_come_to() {
        given_nothing().when(register(gbp(-1))).then_refused(&Refusal::NegativePrice { price: -1 });
        let what = "the price of `22423`".to_owned();
        given_nothing()
            .when(register(gbp(Money::MOST + 1)))
            .then_refused(&Refusal::AmountOverflow { what, limit: Money::MOST });
        given_nothing().when(register(gbp(0))).then([product("22423", gbp(0))]);
    }
}

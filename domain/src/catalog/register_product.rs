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
    /// The catalog price of one unit, at least 0.
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
        if self.unit_price.minor() < 0 {
            return Err(Refusal::NegativePrice { price: self.unit_price.minor() }.into());
        }
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
            Product::Sold(_) => Err(Refusal::ProductExists { sku: sku.clone() }.into()),
            Product::Discontinued(_) => {
                Err(Refusal::ProductDiscontinued { sku: sku.clone() }.into())
            }
        }
    }
}

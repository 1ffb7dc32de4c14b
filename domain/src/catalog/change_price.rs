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

/// The catalog price is to be another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePrice {
    /// The product.
    pub sku: Sku,
    /// The new price of one unit, at least 0.
    pub unit_price: Money,
}

impl Decide for ChangePrice {
    fn target(&self) -> Stream {
        Stream::Product(self.sku.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (sku, unit_price) = (self.sku.clone(), self.unit_price);
        if unit_price.minor() < 0 {
            return Err(Refusal::NegativePrice { price: unit_price.minor() }.into());
        }
        match view.product(&sku)? {
            Product::Absent => Err(Refusal::ProductNotFound { sku }.into()),
            Product::Discontinued(_) => Err(Refusal::ProductDiscontinued { sku }.into()),
            Product::Sold(listing) if listing.unit_price == unit_price => Ok(vec![]),
            Product::Sold(_) => Ok(vec![PriceChanged { sku, unit_price }.into()]),
        }
    }
}

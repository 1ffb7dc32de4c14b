//! The catalog price is to be another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::money::Money;
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

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}

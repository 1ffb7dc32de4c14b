//! A product is to be sold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::money::Money;
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

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}

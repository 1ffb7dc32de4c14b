//! The product is to be sold no more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Product, ProductDiscontinued};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::refusal::Refusal;
use crate::stream::Stream;

/// The product is to be sold no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscontinueProduct {
    /// The product.
    pub sku: Sku,
}

impl Decide for DiscontinueProduct {
    fn target(&self) -> Stream {
        Stream::Product(self.sku.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let sku = self.sku.clone();
        match view.product(&sku)? {
            Product::Absent => Err(Refusal::ProductNotFound { sku }.into()),
            Product::Sold(_) => Ok(vec![ProductDiscontinued { sku }.into()]),
            Product::Discontinued(_) => Ok(vec![]),
        }
    }
}

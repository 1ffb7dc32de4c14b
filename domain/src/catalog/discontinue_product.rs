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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{discontinued, gbp, product, sku};
    use super::*;
    use crate::spec::{given, given_nothing};

    #[test]
    fn a_product_is_discontinued_once() {
        given([product("22423", gbp(1_275))])
            .when(DiscontinueProduct { sku: sku("22423") })
            .then([discontinued("22423")])
            .when(DiscontinueProduct { sku: sku("22423") })
            .then_nothing();
    }

    #[test]
    fn an_unknown_product_is_not_found() {
        given_nothing()
            .when(DiscontinueProduct { sku: sku("22423") })
            .then_refused(&Refusal::ProductNotFound { sku: sku("22423") });
    }
}

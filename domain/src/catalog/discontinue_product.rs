//! The product is to be sold no more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Product, ProductDiscontinued};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// The product is to be sold no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscontinueProduct {
    /// The product.
    pub sku: Sku,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for DiscontinueProduct {
    fn target(&self) -> Stream {
        Stream::Product(self.sku.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let sku = self.sku.clone();
        match view.product(&sku)? {
            Product::Absent => Err(Refusal::ProductNotFound { sku }.into()),
            Product::Sold(_) => {
                Ok(vec![ProductDiscontinued { sku, reason: self.reason.clone() }.into()])
            }
            Product::Discontinued(_) => Ok(vec![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{discontinued, gbp, product, sku};
    use super::*;
    use crate::spec::{given, given_nothing};

    fn discontinue() -> DiscontinueProduct {
        DiscontinueProduct { sku: sku("22423"), reason: None }
    }

    #[test]
    fn a_product_is_discontinued_once() {
        given([product("22423", gbp(1_275))])
            .when(discontinue())
            .then([discontinued("22423")])
            .when(discontinue())
            .then_nothing();
    }

    #[test]
    fn why_it_is_sold_no_more_is_kept() {
        let reason = Some(Reason::parse("the supplier closed").unwrap());
        given([product("22423", gbp(1_275))])
            .when(DiscontinueProduct { reason: reason.clone(), ..discontinue() })
            .then([ProductDiscontinued { reason, ..discontinued("22423") }]);
    }

    #[test]
    fn an_unknown_product_is_not_found() {
        given_nothing()
            .when(discontinue())
            .then_refused(&Refusal::ProductNotFound { sku: sku("22423") });
    }
}

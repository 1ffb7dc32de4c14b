//! A product is to be called otherwise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Product, ProductRenamed};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::{Label, Reason};

/// A product is to be called otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameProduct {
    /// The product.
    pub sku: Sku,
    /// What people call it from now on.
    pub name: Label,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for RenameProduct {
    fn target(&self) -> Stream {
        Stream::Product(self.sku.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (sku, name) = (self.sku.clone(), self.name.clone());
        match view.product(&sku)? {
            Product::Absent => Err(Refusal::ProductNotFound { sku }.into()),
            Product::Discontinued(_) => Err(Refusal::ProductDiscontinued { sku }.into()),
            Product::Sold(listing) if listing.name == name => Ok(vec![]),
            Product::Sold(_) => {
                Ok(vec![ProductRenamed { sku, name, reason: self.reason.clone() }.into()])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{discontinued, gbp, product, sku};
    use super::*;
    use crate::catalog::ChangePrice;
    use crate::spec::{given, given_nothing};

    fn label(text: &str) -> Label {
        Label::parse(text).unwrap()
    }

    fn rename(name: &str) -> RenameProduct {
        RenameProduct { sku: sku("22423"), name: label(name), reason: None }
    }

    fn renamed(name: &str) -> ProductRenamed {
        ProductRenamed { sku: sku("22423"), name: label(name), reason: None }
    }

    #[test]
    fn why_a_name_changes_is_kept_when_it_is_said() {
        let reason = Some(Reason::parse("a typing error").unwrap());
        given([product("22423", gbp(1_275))])
            .when(RenameProduct { reason: reason.clone(), ..rename("Cup") })
            .then([ProductRenamed { reason, ..renamed("Cup") }]);
    }

    #[test]
    fn a_name_changes_once_and_the_price_stays() {
        given([product("22423", gbp(1_275))])
            .when(rename("Regency cakestand"))
            .then([renamed("Regency cakestand")])
            .when(rename("Regency cakestand"))
            .then_nothing()
            .when(ChangePrice { sku: sku("22423"), unit_price: gbp(1_275), reason: None })
            .then_nothing();
    }

    #[test]
    fn only_a_product_that_is_sold_gets_another_name() {
        given_nothing()
            .when(rename("Cup"))
            .then_refused(&Refusal::ProductNotFound { sku: sku("22423") });
        given([product("22423", gbp(1_275))])
            .and([discontinued("22423")])
            .when(rename("Cup"))
            .then_refused(&Refusal::ProductDiscontinued { sku: sku("22423") });
    }
}

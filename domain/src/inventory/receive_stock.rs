//! Units arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StockReceived;
use super::stock::MOST_ON_HAND;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Quantity;

/// Units arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveStock {
    /// The SKU.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
}

impl Decide for ReceiveStock {
    fn target(&self) -> Stream {
        Stream::Stock(self.sku.clone())
    }

    fn reads(&self) -> Vec<Stream> {
        vec![self.target(), Stream::Product(self.sku.clone())]
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (sku, quantity) = (self.sku.clone(), self.quantity);
        view.product(&sku)?.check_stocked(&sku)?;
        if !view.stock(&sku)?.can_count(quantity.get().into()) {
            let what = format!("the stock of `{sku}`");
            return Err(Refusal::AmountOverflow { what, limit: MOST_ON_HAND }.into());
        }
        Ok(vec![StockReceived { sku, quantity }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{received, units};
    use super::*;
    use crate::catalog::fixtures::{discontinued, gbp, product, service, sku};
    use crate::inventory::StockAdjusted;
    use crate::spec::{given, given_nothing};
    use crate::text::Reason;

    fn receive(quantity: u32) -> ReceiveStock {
        ReceiveStock { sku: sku("A"), quantity: units(quantity) }
    }

    #[test]
    fn units_arrive_every_time_they_are_received() {
        given([product("A", gbp(1))])
            .when(receive(7))
            .then([received("A", 7)])
            .when(receive(7))
            .then([received("A", 7)]);
    }

    #[test]
    fn units_arrive_also_of_a_product_that_is_sold_no_more() {
        given([product("A", gbp(1))])
            .and([discontinued("A")])
            .when(receive(1))
            .then([received("A", 1)]);
    }

    #[test]
    fn a_stock_can_be_counted() {
        let delta = MOST_ON_HAND - 7;
        let many = StockAdjusted { sku: sku("A"), delta, reason: Reason::parse("count").unwrap() };
        let what = "the stock of `A`".to_owned();
        given([product("A", gbp(1))])
            .and([many])
            .when(receive(7))
            .then([received("A", 7)])
            .when(receive(1))
            .then_refused(&Refusal::AmountOverflow { what, limit: MOST_ON_HAND });
    }

    #[test]
    fn only_stocked_products_are_received() {
        given_nothing().when(receive(1)).then_refused(&Refusal::ProductNotFound { sku: sku("A") });
        given([service("A", gbp(1))])
            .when(receive(1))
            .then_refused(&Refusal::NotStocked { sku: sku("A") });
    }
}

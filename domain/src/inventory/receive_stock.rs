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
use crate::text::{Quantity, Reason};

/// Units arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveStock {
    /// The SKU.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for ReceiveStock {
    fn target(&self) -> Stream {
        Stream::Stock(self.sku.clone())
    }

    fn reads(&self) -> Vec<Stream> {
        vec![self.target(), Stream::Product(self.sku.clone())]
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { sku, quantity, reason } = self.clone();
        view.product(&sku)?.check_stocked(&sku)?;
        if !view.stock(&sku)?.can_count(quantity.get().into()) {
            let what = format!("the stock of `{sku}`");
            return Err(Refusal::AmountOverflow { what, limit: MOST_ON_HAND }.into());
        }
        Ok(vec![StockReceived { sku, quantity, reason }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{received, units};
    use super::*;
    use crate::catalog::fixtures::{discontinued, gbp, product, service, sku};
    use crate::inventory::StockAdjusted;
    use crate::spec::{given, given_nothing};

    fn receive(quantity: u32) -> ReceiveStock {
        ReceiveStock { sku: sku("A"), quantity: units(quantity), reason: None }
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
    fn why_units_arrive_is_kept_when_it_is_said() {
        let reason = Some(Reason::parse("delivery note 4711").unwrap());
        given([product("A", gbp(1))])
            .when(ReceiveStock { reason: reason.clone(), ..receive(7) })
            .then([StockReceived { reason, ..received("A", 7) }]);
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

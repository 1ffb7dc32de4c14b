//! The count is to be corrected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StockAdjusted;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// The count is to be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustStock {
    /// The SKU.
    pub sku: Sku,
    /// Units to add or, negative, to take away; not 0.
    pub delta: i64,
    /// Why.
    pub reason: Reason,
}

impl Decide for AdjustStock {
    fn target(&self) -> Stream {
        Stream::Stock(self.sku.clone())
    }

    fn reads(&self) -> Vec<Stream> {
        vec![self.target(), Stream::Product(self.sku.clone())]
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (sku, delta) = (self.sku.clone(), self.delta);
        view.product(&sku)?.check_stocked(&sku)?;
        let stock = view.stock(&sku)?;
        if delta == 0 || delta == i64::MIN || !stock.can_count(delta) {
            return Err(Refusal::InvalidDelta { delta }.into());
        }
        if stock.available() + delta < 0 {
            let (requested, available) = (-delta, stock.available());
            return Err(Refusal::OutOfStock { sku, requested, available }.into());
        }
        Ok(vec![StockAdjusted { sku, delta, reason: self.reason.clone() }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{received, reserved};
    use super::*;
    use crate::catalog::fixtures::{gbp, product, service, sku};
    use crate::spec::{given, given_nothing};

    fn adjust(delta: i64) -> AdjustStock {
        AdjustStock { sku: sku("A"), delta, reason: Reason::parse("counted").unwrap() }
    }

    fn adjusted(delta: i64) -> StockAdjusted {
        StockAdjusted { sku: sku("A"), delta, reason: Reason::parse("counted").unwrap() }
    }

    #[test]
    fn the_count_is_corrected_up_and_down_to_0() {
        given([product("A", gbp(1))])
            .when(adjust(5))
            .then([adjusted(5)])
            .when(adjust(-5))
            .then([adjusted(-5)]);
    }

    #[test]
    fn units_that_orders_hold_are_not_corrected_away() {
        given([product("A", gbp(1))])
            .and([received("A", 5)])
            .and([reserved("A", 2)])
            .when(adjust(-4))
            .then_refused(&Refusal::OutOfStock { sku: sku("A"), requested: 4, available: 3 });
    }

    #[test]
    fn a_correction_by_nothing_or_beyond_counting_is_refused() {
        for delta in [0, i64::MIN, i64::MAX] {
            given([product("A", gbp(1))])
                .when(adjust(delta))
                .then_refused(&Refusal::InvalidDelta { delta });
        }
    }

    #[test]
    fn only_stocked_products_are_corrected() {
        given_nothing().when(adjust(1)).then_refused(&Refusal::ProductNotFound { sku: sku("A") });
        given([service("A", gbp(1))])
            .when(adjust(1))
            .then_refused(&Refusal::NotStocked { sku: sku("A") });
    }
}

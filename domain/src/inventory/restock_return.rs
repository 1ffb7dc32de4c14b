//! Returned units can be sold again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkuQuantity;
use super::{ReturnStocked, StockRestocked, sku_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ReturnId};
use crate::stream::Stream;

/// Returned units can be sold again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestockReturn {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// What came back.
    pub lines: Vec<SkuQuantity>,
}

impl Decide for RestockReturn {
    fn target(&self) -> Stream {
        Stream::Reservation(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let reservation = view.reservation(&self.order_id)?;
        if reservation.has_taken_back(&self.return_id) {
            return Ok(vec![]);
        }
        let lines = sku_sum::sum(&self.lines)?;
        reservation.check_returnable(&lines)?;
        let (order_id, return_id) = (self.order_id.clone(), self.return_id.clone());
        let mut events: Vec<Event> = Vec::with_capacity(lines.len() + 1);
        for SkuQuantity { sku, quantity } in lines.iter().cloned() {
            events.push(StockRestocked { sku, order_id: order_id.clone(), quantity }.into());
        }
        events.push(ReturnStocked { order_id, return_id, lines, restocked: true }.into());
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{holding, of, order_id, return_id, shipped, units};
    use super::*;
    use crate::catalog::fixtures::sku;
    use crate::refusal::Refusal;
    use crate::spec::given;

    fn restock(quantity: u32) -> RestockReturn {
        let lines = vec![of("A", quantity)];
        RestockReturn { order_id: order_id(), return_id: return_id(), lines }
    }

    #[test]
    fn returned_units_come_back_once() {
        given(holding())
            .and(shipped(&[of("A", 3)]))
            .when(restock(2))
            .then([
                Event::from(StockRestocked {
                    sku: sku("A"),
                    order_id: order_id(),
                    quantity: units(2),
                }),
                ReturnStocked {
                    order_id: order_id(),
                    return_id: return_id(),
                    lines: vec![of("A", 2)],
                    restocked: true,
                }
                .into(),
            ])
            .when(restock(2))
            .then_nothing();
    }

    #[test]
    fn no_more_comes_back_than_left() {
        given(holding()).and(shipped(&[of("A", 1)])).when(restock(2)).then_refused(
            &Refusal::QuantityExceeded { what: "`A`".to_owned(), requested: 2, allowed: 1 },
        );
    }
}

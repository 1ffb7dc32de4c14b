//! Returned units can't be sold again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkuQuantity;
use super::{ReturnStocked, StockRestocked, StockWrittenOff, sku_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ReturnId};
use crate::stream::Stream;

/// Returned units can't be sold again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteOff {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// What came back.
    pub lines: Vec<SkuQuantity>,
}

impl Decide for WriteOff {
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
        let mut events: Vec<Event> = Vec::with_capacity(2 * lines.len() + 1);
        for SkuQuantity { sku, quantity } in lines.iter().cloned() {
            // In and out in one append, so that every unit that left the house and came back is accounted for.
            let (came, order) = (sku.clone(), order_id.clone());
            events.push(StockRestocked { sku: came, order_id: order.clone(), quantity }.into());
            events.push(StockWrittenOff { sku, order_id: order, quantity }.into());
        }
        events.push(ReturnStocked { order_id, return_id, lines, restocked: false }.into());
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{holding, of, order_id, return_id, shipped, units};
    use super::*;
    use crate::catalog::fixtures::sku;
    use crate::spec::given;

    #[test]
    fn a_unit_that_is_written_off_comes_in_and_goes_out_in_one_append() {
        let write_off =
            WriteOff { order_id: order_id(), return_id: return_id(), lines: vec![of("A", 2)] };
        let (sku, order_id, quantity) = (sku("A"), order_id(), units(2));
        given(holding())
            .and(shipped(&[of("A", 3)]))
            .when(write_off.clone())
            .then([
                Event::from(StockRestocked {
                    sku: sku.clone(),
                    order_id: order_id.clone(),
                    quantity,
                }),
                StockWrittenOff { sku, order_id: order_id.clone(), quantity }.into(),
                ReturnStocked {
                    order_id,
                    return_id: return_id(),
                    lines: vec![of("A", 2)],
                    restocked: false,
                }
                .into(),
            ])
            .when(write_off)
            .then_nothing();
    }
}

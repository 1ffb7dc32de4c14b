//! All lines of an order are to be held, or none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkuQuantity;
use super::reservation::Phase;
use super::{ReservationMade, ReservationRefused, Shortage, StockReserved, sku_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// All lines of an order are to be held, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReserveStock {
    /// The order.
    pub order_id: OrderId,
    /// What is to be held; lines of one SKU are summed before checking.
    pub lines: Vec<SkuQuantity>,
}

impl Decide for ReserveStock {
    fn target(&self) -> Stream {
        Stream::Reservation(self.order_id.clone())
    }

    fn reads(&self) -> Vec<Stream> {
        let stocks = self.lines.iter().map(|line| Stream::Stock(line.sku.clone()));
        std::iter::once(self.target()).chain(stocks).collect()
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = &self.order_id;
        match view.reservation(order_id)?.phase() {
            Phase::Made => return Ok(vec![]),
            Phase::Closed => return Ok(vec![self.refused(vec![])]),
            Phase::Absent => {}
            // Whoever asks again has to hear the answer again, never that all is well.
            Phase::Refused => {
                let short = shortages(&sku_sum::sum(&self.lines)?, view)?;
                return Ok(vec![self.refused(short)]);
            }
        }
        let lines = sku_sum::sum(&self.lines)?;
        let short = shortages(&lines, view)?;
        if !short.is_empty() {
            return Ok(vec![self.refused(short)]);
        }
        let taken = lines.iter().map(|line| {
            StockReserved {
                sku: line.sku.clone(),
                order_id: order_id.clone(),
                quantity: line.quantity,
            }
            .into()
        });
        let mut events: Vec<Event> = taken.collect();
        events.push(ReservationMade { order_id: order_id.clone(), lines }.into());
        Ok(events)
    }
}

impl ReserveStock {
    fn refused(&self, short: Vec<Shortage>) -> Event {
        ReservationRefused { order_id: self.order_id.clone(), short }.into()
    }
}

fn shortages(lines: &[SkuQuantity], view: &View<'_>) -> Result<Vec<Shortage>, Halt> {
    let mut short = Vec::new();
    for SkuQuantity { sku, quantity } in lines {
        let available = view.stock(sku)?.available();
        if available < i64::from(quantity.get()) {
            short.push(Shortage { sku: sku.clone(), requested: *quantity, available });
        }
    }
    Ok(short)
}

#[cfg(test)]
mod tests {
    use super::super::ReservationReleased;
    use super::super::fixtures::{holding, made, of, order_id, received, reserved, units};
    use super::*;
    use crate::catalog::fixtures::sku;
    use crate::spec::{given, given_nothing};

    fn reserve(lines: &[SkuQuantity]) -> ReserveStock {
        ReserveStock { order_id: order_id(), lines: lines.to_vec() }
    }

    fn refused(short: Vec<Shortage>) -> ReservationRefused {
        ReservationRefused { order_id: order_id(), short }
    }

    fn shortage(code: &str, requested: u32, available: i64) -> Shortage {
        Shortage { sku: sku(code), requested: units(requested), available }
    }

    #[test]
    fn all_lines_are_held_in_one_append_and_once() {
        given([received("A", 3), received("B", 2)])
            .when(reserve(&[of("B", 2), of("A", 3)]))
            .then([
                Event::from(reserved("A", 3)),
                reserved("B", 2).into(),
                made(&[of("A", 3), of("B", 2)]).into(),
            ])
            .when(reserve(&[of("B", 2), of("A", 3)]))
            .then_nothing();
    }

    #[test]
    fn lines_of_one_sku_are_summed_before_checking() {
        given([received("A", 5)])
            .when(reserve(&[of("A", 3), of("A", 3)]))
            .then([refused(vec![shortage("A", 6, 5)])]);
        given([received("A", 6)])
            .when(reserve(&[of("A", 3), of("A", 3)]))
            .then([Event::from(reserved("A", 6)), made(&[of("A", 6)]).into()]);
    }

    #[test]
    fn one_short_line_leaves_all_of_them_unheld() {
        let wanted = [of("A", 1), of("B", 3), of("C", 1)];
        given([received("A", 10), received("B", 2)])
            .when(reserve(&wanted))
            .then([refused(vec![shortage("B", 3, 2), shortage("C", 1, 0)])]);
    }

    #[test]
    fn a_refusal_is_repeated_and_stays_when_stock_arrives() {
        given([received("A", 1)])
            .when(reserve(&[of("A", 2)]))
            .then([refused(vec![shortage("A", 2, 1)])])
            .and([received("A", 9)])
            .when(reserve(&[of("A", 2)]))
            .then([refused(vec![])]);
    }

    #[test]
    fn a_reservation_that_was_given_up_before_it_came_is_refused() {
        given([ReservationReleased { order_id: order_id(), lines: vec![], cancellation_id: None }])
            .and([received("A", 9)])
            .when(reserve(&[of("A", 2)]))
            .then([refused(vec![])]);
    }

    #[test]
    fn an_order_without_stocked_lines_holds_nothing() {
        given_nothing().when(reserve(&[])).then([made(&[])]).when(reserve(&[])).then_nothing();
    }

    #[test]
    fn another_order_finds_what_is_left() {
        let other = crate::ids::OrderId::parse("536366").unwrap();
        let short = vec![shortage("A", 8, 7)];
        given(holding())
            .when(ReserveStock { order_id: other.clone(), lines: vec![of("A", 8)] })
            .then([ReservationRefused { order_id: other, short }]);
    }
}

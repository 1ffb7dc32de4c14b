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

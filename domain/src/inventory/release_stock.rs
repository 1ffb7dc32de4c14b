//! Units held for an order are to be available again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkuQuantity;
use super::reservation::{Phase, Reservation};
use super::{ReservationReleased, StockReleased, sku_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// Units held for an order are to be available again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseStock {
    /// The order.
    pub order_id: OrderId,
    /// What is to be given back; `None`: all that it still holds, and nothing may be reserved for it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<SkuQuantity>>,
}

impl Decide for ReleaseStock {
    fn target(&self) -> Stream {
        Stream::Reservation(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let reservation = view.reservation(&self.order_id)?;
        match &self.lines {
            None => Ok(self.release_all(reservation)),
            Some(lines) => {
                let lines = sku_sum::sum(lines)?;
                if lines.is_empty() {
                    return Ok(vec![]);
                }
                reservation.check_held(&lines)?;
                Ok(self.release(lines))
            }
        }
    }
}

impl ReleaseStock {
    fn release_all(&self, reservation: &Reservation) -> Vec<Event> {
        match reservation.phase() {
            // A tombstone: the reservation may still be on its way, and has to be refused when it comes.
            Phase::Absent => self.release(vec![]),
            Phase::Made => match reservation.held() {
                held if held.is_empty() => vec![],
                held => self.release(held),
            },
            Phase::Refused | Phase::Closed => vec![],
        }
    }

    fn release(&self, lines: Vec<SkuQuantity>) -> Vec<Event> {
        let order_id = &self.order_id;
        let given_back = lines.iter().map(|line| {
            StockReleased {
                sku: line.sku.clone(),
                order_id: order_id.clone(),
                quantity: line.quantity,
            }
            .into()
        });
        let mut events: Vec<Event> = given_back.collect();
        events.push(ReservationReleased { order_id: order_id.clone(), lines }.into());
        events
    }
}

//! Units held for an order are to be available again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkuQuantity;
use super::reservation::{Phase, Reservation};
use super::{ReservationReleased, StockReleased, sku_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId};
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
    /// The cancellation that it is for; for each only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_id: Option<CancellationId>,
}

impl Decide for ReleaseStock {
    fn target(&self) -> Stream {
        Stream::Reservation(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let reservation = view.reservation(&self.order_id)?;
        if self.cancellation_id.as_ref().is_some_and(|id| reservation.has_released_for(id)) {
            return Ok(vec![]);
        }
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
        let cancellation_id = self.cancellation_id.clone();
        let whole = ReservationReleased { order_id: order_id.clone(), lines, cancellation_id };
        events.push(whole.into());
        events
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{holding, of, order_id, shipped, units};
    use super::*;
    use crate::catalog::fixtures::sku;
    use crate::refusal::Refusal;
    use crate::spec::{given, given_nothing};

    fn all() -> ReleaseStock {
        ReleaseStock { order_id: order_id(), lines: None, cancellation_id: None }
    }

    fn some(lines: &[SkuQuantity]) -> ReleaseStock {
        ReleaseStock { order_id: order_id(), lines: Some(lines.to_vec()), cancellation_id: None }
    }

    fn given_back(lines: &[SkuQuantity]) -> Vec<Event> {
        let one = |line: &SkuQuantity| {
            let (sku, quantity) = (line.sku.clone(), line.quantity);
            StockReleased { sku, order_id: order_id(), quantity }.into()
        };
        let whole = ReservationReleased {
            order_id: order_id(),
            lines: lines.to_vec(),
            cancellation_id: None,
        };
        lines.iter().map(one).chain([whole.into()]).collect()
    }

    #[test]
    fn everything_that_is_held_is_given_back_once() {
        given(holding())
            .when(all())
            .then(given_back(&[of("A", 3), of("B", 2)]))
            .when(all())
            .then_nothing();
    }

    #[test]
    fn a_release_that_comes_first_leaves_a_tombstone() {
        given_nothing().when(all()).then(given_back(&[])).when(all()).then_nothing();
    }

    #[test]
    fn a_part_is_given_back_and_the_rest_stays_held() {
        given(holding())
            .when(some(&[of("A", 1), of("A", 1)]))
            .then(given_back(&[of("A", 2)]))
            .when(all())
            .then(given_back(&[of("A", 1), of("B", 2)]));
    }

    #[test]
    fn a_part_is_given_back_once_for_a_cancellation() {
        let nth = |n| CancellationId::nth(&order_id(), n);
        let release = |n| ReleaseStock { cancellation_id: Some(nth(n)), ..some(&[of("A", 1)]) };
        let after = given(holding()).when(release(1)).after();
        after.when(release(1)).then_nothing();
        let other = given(holding()).when(release(1)).after().when(release(2));
        assert_eq!(other.events().len(), 2, "another cancellation has its own");
    }

    #[test]
    fn what_was_shipped_is_not_given_back() {
        given(holding()).and(shipped(&[of("A", 3)])).when(all()).then(given_back(&[of("B", 2)]));
        given(holding()).and(shipped(&[of("A", 3), of("B", 2)])).when(all()).then_nothing();
    }

    #[test]
    fn more_than_is_held_is_refused() {
        let exceeded = |allowed| Refusal::QuantityExceeded {
            what: "`A`".to_owned(),
            requested: units(4).get().into(),
            allowed,
        };
        given(holding()).when(some(&[of("A", 4)])).then_refused(&exceeded(3));
        given_nothing().when(some(&[of("A", 4)])).then_refused(&exceeded(0));
    }

    #[test]
    fn stock_that_was_given_back_can_be_held_by_another() {
        let after = given(holding()).when(all()).after();
        let other = OrderId::parse("536366").unwrap();
        let when = after.when(crate::inventory::ReserveStock {
            order_id: other,
            lines: vec![SkuQuantity { sku: sku("A"), quantity: units(10) }],
        });
        assert_eq!(when.events().last().map(Event::event_type), Some("ReservationMade"));
    }
}

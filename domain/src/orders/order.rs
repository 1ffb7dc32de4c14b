//! What a decision needs to know of an order.

use serde::{Deserialize, Serialize};

use super::draft::Draft;
use super::placed_order::{PlacedOrder, index};
use super::{LineNumber, OrderEvent, OrderLine, OrderStatus};
use crate::decide::Aggregate;
use crate::ids::{CustomerId, OrderId, PaymentId};
use crate::money::Currency;
use crate::refusal::Refusal;

/// What a decision needs to know of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Nobody asked for it.
    #[default]
    Absent,
    /// A cart.
    Draft(Box<Draft>),
    /// It was placed; its prices are frozen.
    Placed(Box<PlacedOrder>),
}

impl Order {
    /// Where it stands; `None` when there is no such order.
    pub fn status(&self) -> Option<OrderStatus> {
        match self {
            Self::Absent => None,
            Self::Draft(draft) if draft.cancelled => Some(OrderStatus::Cancelled),
            Self::Draft(_) => Some(OrderStatus::Draft),
            Self::Placed(order) => Some(order.status()),
        }
    }

    /// True when it stands still.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Placed(order) if order.held)
    }

    /// The lines of a placed order, by their numbers.
    pub fn lines(&self) -> &[OrderLine] {
        match self {
            Self::Absent | Self::Draft(_) => &[],
            Self::Placed(order) => &order.lines,
        }
    }

    /// A line of a placed order.
    pub fn line(&self, number: LineNumber) -> Option<&OrderLine> {
        let lines = self.lines();
        index(lines, number).map(|at| &lines[at])
    }

    /// The one currency of the order.
    pub fn currency(&self) -> Option<Currency> {
        match self {
            Self::Absent => None,
            Self::Draft(draft) => Some(draft.head.currency),
            Self::Placed(order) => Some(order.currency),
        }
    }

    /// What a placed order costs, in minor units, cancelled lines included.
    pub fn total(&self) -> i64 {
        match self {
            Self::Absent | Self::Draft(_) => 0,
            Self::Placed(order) => order.total,
        }
    }

    /// Whose it is; a guest has none.
    pub fn customer_id(&self) -> Option<&CustomerId> {
        match self {
            Self::Absent => None,
            Self::Draft(draft) => draft.head.customer_id.as_ref(),
            Self::Placed(order) => order.customer_id.as_ref(),
        }
    }

    /// The payments that cover it, oldest first; captures come from the last.
    pub fn payments(&self) -> &[PaymentId] {
        match self {
            Self::Absent | Self::Draft(_) => &[],
            Self::Placed(order) => &order.payments,
        }
    }

    /// The cart, if lines can still be changed.
    pub(super) fn draft(&self, order_id: &OrderId) -> Result<&Draft, Refusal> {
        match self {
            Self::Absent => Err(Refusal::OrderNotFound { order_id: order_id.clone() }),
            Self::Draft(draft) if draft.cancelled => Err(wrong_state(OrderStatus::Cancelled)),
            Self::Draft(draft) if draft.erased => {
                Err(Refusal::WrongState { what: "order", state: "erased" })
            }
            Self::Draft(draft) => Ok(draft),
            Self::Placed(order) => Err(order.refusal(order_id)),
        }
    }

    /// The placed order; refused for a cart.
    pub(super) fn placed(&self, order_id: &OrderId) -> Result<&PlacedOrder, Refusal> {
        match self {
            Self::Absent => Err(Refusal::OrderNotFound { order_id: order_id.clone() }),
            Self::Draft(draft) if draft.cancelled => Err(wrong_state(OrderStatus::Cancelled)),
            Self::Draft(_) => Err(wrong_state(OrderStatus::Draft)),
            Self::Placed(order) => Ok(order),
        }
    }
}

fn wrong_state(status: OrderStatus) -> Refusal {
    Refusal::WrongState { what: "order", state: status.as_str() }
}

impl Aggregate for Order {
    type Event = OrderEvent;

    fn evolve(self, event: &OrderEvent) -> Self {
        match (self, event) {
            (_, OrderEvent::DraftCreated(event)) => {
                Self::Draft(Box::new(Draft::new(event.clone())))
            }
            (_, OrderEvent::OrderPlaced(event)) => Self::Placed(Box::new(PlacedOrder::new(event))),
            (Self::Absent, _) => Self::Absent,
            (Self::Draft(mut draft), event) => {
                draft.apply(event);
                Self::Draft(draft)
            }
            (Self::Placed(mut order), event) => {
                order.apply(event);
                Self::Placed(order)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        TOTAL, cancellation, confirmed_order, currency, delivered_order, every_unit, of,
        order_after, order_id, payment_id, placed, shipped,
    };
    use super::*;
    use crate::event::Event;
    use crate::orders::{HoldReleased, OrderCancelled, OrderCompleted, OrderHeld};

    fn status(events: &[Event]) -> Option<OrderStatus> {
        order_after(events.to_vec()).status()
    }

    #[test]
    fn the_status_follows_the_order_to_its_end() {
        assert_eq!(status(&[]), None);
        assert_eq!(status(&[placed().into()]), Some(OrderStatus::Placed));
        assert_eq!(status(&confirmed_order()), Some(OrderStatus::Confirmed));
        let part = [confirmed_order(), vec![shipped(1, &[of(1, 1)]).into()]].concat();
        assert_eq!(status(&part), Some(OrderStatus::Fulfilling));
        let whole = OrderCompleted { order_id: order_id() };
        let all = [delivered_order(), vec![whole.into()]].concat();
        assert_eq!(status(&all), Some(OrderStatus::Completed));
    }

    #[test]
    fn an_order_that_is_being_undone_is_still_placed() {
        let undone = [placed().into(), cancellation(None, &every_unit()).into()];
        assert_eq!(status(&undone), Some(OrderStatus::Placed));
        let cancelled = OrderCancelled { order_id: order_id(), reason: None };
        let events = [undone.to_vec(), vec![cancelled.into()]].concat();
        assert_eq!(status(&events), Some(OrderStatus::Cancelled));
    }

    #[test]
    fn a_held_order_remembers_from_where_it_goes_on() {
        let held = OrderHeld { order_id: order_id(), reason: None };
        let mut events = confirmed_order();
        events.push(held.into());
        assert_eq!(status(&events), Some(OrderStatus::OnHold));
        assert!(order_after(events.clone()).is_held());
        events.push(HoldReleased { order_id: order_id(), reason: None }.into());
        assert_eq!(status(&events), Some(OrderStatus::Confirmed));
    }

    #[test]
    fn others_can_ask_what_they_need_to_know() {
        let order = order_after(confirmed_order());
        assert_eq!((order.total(), order.currency()), (TOTAL, Some(currency())));
        assert_eq!(order.payments(), [payment_id(1)]);
        assert_eq!(order.customer_id(), placed().customer_id.as_ref());
        assert_eq!(order.lines().len(), 3);
    }

    #[test]
    fn a_state_reads_back_from_a_snapshot_as_it_was_written() {
        for events in [vec![], vec![placed().into()], delivered_order()] {
            let order = order_after(events);
            let written = serde_json::to_string(&order).unwrap();
            assert_eq!(serde_json::from_str::<Order>(&written).unwrap(), order);
        }
    }
}

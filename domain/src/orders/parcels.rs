//! What of an order has left the house, whether the order has heard of it yet or not.
//!
//! A parcel is marked as shipped first and recorded on its order a little later. Whoever cancels in between is told so
//! at once, because the parcels themselves are looked at.

use std::collections::BTreeMap;

use super::placed_order::PlacedOrder;
use super::{LineNumber, OrderLine};
use crate::decide::{Halt, View};
use crate::ids::{OrderId, ShipmentId};
use crate::shipping::ShipmentStatus;

/// Units of every line that left the house.
pub(super) struct LeftHouse(BTreeMap<LineNumber, u32>);

impl LeftHouse {
    /// Looks at all parcels of the order: their numbers have no gaps.
    pub(super) fn of(
        order: &PlacedOrder,
        order_id: &OrderId,
        view: &View<'_>,
    ) -> Result<Self, Halt> {
        // All that are known are looked at first, so that whoever loads states hears of them at once.
        for (nth, _) in (1..).zip(&order.shipped) {
            view.shipment(&ShipmentId::nth(order_id, nth))?;
        }
        let mut units: BTreeMap<LineNumber, u32> = BTreeMap::new();
        let mut nth = 1;
        loop {
            let shipment = view.shipment(&ShipmentId::nth(order_id, nth))?;
            match shipment.status() {
                None => return Ok(Self(units)),
                Some(ShipmentStatus::Pending | ShipmentStatus::Cancelled) => {}
                Some(ShipmentStatus::Shipped | ShipmentStatus::Delivered) => {
                    for line in shipment.lines() {
                        let left = units.entry(line.line).or_default();
                        *left = left.saturating_add(line.quantity.get());
                    }
                }
            }
            nth += 1;
        }
    }

    /// Units of a line that left the house.
    pub(super) fn units(&self, line: &OrderLine) -> u32 {
        self.0.get(&line.line).copied().unwrap_or_default().max(line.shipped)
    }

    /// Units of a line that are here, not cancelled, and that no running cancellation asks for.
    pub(super) fn cancellable(&self, line: &OrderLine) -> u32 {
        line.ordered
            .saturating_sub(line.cancelled)
            .saturating_sub(line.cancelling)
            .saturating_sub(self.units(line))
    }

    /// Whether anything left the house.
    pub(super) fn is_any(&self, order: &PlacedOrder) -> bool {
        !self.0.is_empty() || !order.shipped.is_empty()
    }
}

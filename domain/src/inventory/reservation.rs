//! What an order holds of every SKU.
//!
//! **Invariant (law 4):** a unit that was reserved is held until it is shipped or released, and that happens once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ReservationEvent, SkuQuantity};
use crate::decide::Aggregate;
use crate::ids::{CancellationId, ReturnId, ShipmentId, Sku};
use crate::refusal::Refusal;
use crate::text::Quantity;

/// How far a reservation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// Nothing was asked for.
    #[default]
    Absent,
    /// Everything was reserved; some of it may have left since.
    Made,
    /// There was too little. For ever: the order is rejected for it.
    Refused,
    /// Given back, or given up before it was made. For ever.
    Closed,
}

/// The units of one SKU that an order has to do with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Units {
    held: u32,
    shipped: u32,
    returned: u32,
}

/// What an order holds of every SKU.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    phase: Phase,
    units: BTreeMap<Sku, Units>,
    shipments: BTreeSet<ShipmentId>,
    returns: BTreeSet<ReturnId>,
    /// Cancellations for which something was given back: each only once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    released_for: BTreeSet<CancellationId>,
}

impl Reservation {
    /// What the order still holds, one entry a SKU.
    pub fn held(&self) -> Vec<SkuQuantity> {
        self.units
            .iter()
            .filter_map(|(sku, units)| {
                let quantity = Quantity::new(units.held).ok()?;
                Some(SkuQuantity { sku: sku.clone(), quantity })
            })
            .collect()
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn has_shipped(&self, shipment_id: &ShipmentId) -> bool {
        self.shipments.contains(shipment_id)
    }

    pub(super) fn has_taken_back(&self, return_id: &ReturnId) -> bool {
        self.returns.contains(return_id)
    }

    pub(super) fn has_released_for(&self, cancellation_id: &CancellationId) -> bool {
        self.released_for.contains(cancellation_id)
    }

    /// Refuses to take more than the order holds.
    pub(super) fn check_held(&self, lines: &[SkuQuantity]) -> Result<(), Refusal> {
        self.check(lines, |units| units.held)
    }

    /// Refuses to take back more than left the house.
    pub(super) fn check_returnable(&self, lines: &[SkuQuantity]) -> Result<(), Refusal> {
        self.check(lines, |units| units.shipped.saturating_sub(units.returned))
    }

    fn check(&self, lines: &[SkuQuantity], left: fn(&Units) -> u32) -> Result<(), Refusal> {
        for line in lines {
            let allowed = self.units.get(&line.sku).map_or(0, left);
            if line.quantity.get() > allowed {
                return Err(Refusal::QuantityExceeded {
                    what: format!("`{}`", line.sku),
                    requested: line.quantity.get().into(),
                    allowed: allowed.into(),
                });
            }
        }
        Ok(())
    }

    fn each(&mut self, lines: &[SkuQuantity], mut change: impl FnMut(&mut Units, u32)) {
        for line in lines {
            change(self.units.entry(line.sku.clone()).or_default(), line.quantity.get());
        }
    }
}

impl Aggregate for Reservation {
    type Event = ReservationEvent;

    fn evolve(mut self, event: &ReservationEvent) -> Self {
        match event {
            ReservationEvent::ReservationMade(event) => {
                self.phase = Phase::Made;
                self.each(&event.lines, |units, n| units.held = units.held.saturating_add(n));
            }
            ReservationEvent::ReservationRefused(_) => {
                if self.phase == Phase::Absent {
                    self.phase = Phase::Refused;
                }
            }
            ReservationEvent::ReservationReleased(event) => {
                self.released_for.extend(event.cancellation_id.clone());
                self.each(&event.lines, |units, n| units.held = units.held.saturating_sub(n));
                if self.units.values().all(|units| units.held == 0) {
                    self.phase = Phase::Closed;
                }
            }
            ReservationEvent::ReservationShipped(event) => {
                self.shipments.insert(event.shipment_id.clone());
                self.each(&event.lines, |units, n| {
                    units.held = units.held.saturating_sub(n);
                    units.shipped = units.shipped.saturating_add(n);
                });
            }
            ReservationEvent::ReturnStocked(event) => {
                self.returns.insert(event.return_id.clone());
                self.each(&event.lines, |units, n| {
                    units.returned = units.returned.saturating_add(n);
                });
            }
        }
        self
    }
}

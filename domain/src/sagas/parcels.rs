//! The parcels of an order, as its sagas know them from the log.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::EventContext;
use crate::ids::ShipmentId;
use crate::orders::{LineNumber, LineQuantity};
use crate::shipping::ShipmentEvent;

/// Where a parcel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Still in the house.
    Here,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
}

/// A parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parcel {
    pub(super) place: Place,
    /// Business time of the last thing that happened to it.
    pub(super) occurred_at: DateTime<Utc>,
    /// Units per line; without any it is cancelled.
    pub(super) units: BTreeMap<LineNumber, u32>,
}

/// The parcels of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parcels(pub(super) BTreeMap<ShipmentId, Parcel>);

impl Parcels {
    pub(super) fn fold(&mut self, event: &ShipmentEvent, context: &EventContext<'_>) {
        let occurred_at = context.occurred_at;
        match event {
            ShipmentEvent::ShipmentCreated(event) => {
                let units = event.lines.iter().map(|line| (line.line, line.quantity.get()));
                let parcel = Parcel { place: Place::Here, occurred_at, units: units.collect() };
                self.0.insert(event.shipment_id.clone(), parcel);
            }
            ShipmentEvent::ShipmentSplit(event) => self.take(&event.shipment_id, &event.moved),
            ShipmentEvent::ShipmentCancelled(event) => self.take(&event.shipment_id, &event.lines),
            ShipmentEvent::ShipmentShipped(event) => {
                let units = event.lines.iter().map(|line| (line.line, line.quantity.get()));
                let parcel = Parcel { place: Place::Shipped, occurred_at, units: units.collect() };
                self.0.insert(event.shipment_id.clone(), parcel);
            }
            ShipmentEvent::ShipmentDelivered(event) => {
                if let Some(parcel) = self.0.get_mut(&event.shipment_id) {
                    parcel.place = Place::Delivered;
                    parcel.occurred_at = occurred_at;
                }
            }
            ShipmentEvent::ShipmentCancellationRefused(_) => {}
        }
    }

    fn take(&mut self, shipment_id: &ShipmentId, lines: &[LineQuantity]) {
        let Some(parcel) = self.0.get_mut(shipment_id) else { return };
        for line in lines {
            if let Some(units) = parcel.units.get_mut(&line.line) {
                *units = units.saturating_sub(line.quantity.get());
            }
        }
        parcel.units.retain(|_, units| *units > 0);
    }

    /// A parcel still in the house that carries all of these lines.
    pub(super) fn here_with(&self, lines: &[LineQuantity]) -> Option<&ShipmentId> {
        let carries = |parcel: &Parcel| {
            lines.iter().all(|wanted| {
                parcel.units.get(&wanted.line).is_some_and(|units| *units >= wanted.quantity.get())
            })
        };
        let here = |parcel: &Parcel| parcel.place == Place::Here;
        self.0.iter().find(|(_, parcel)| here(parcel) && carries(parcel)).map(|(id, _)| id)
    }
}

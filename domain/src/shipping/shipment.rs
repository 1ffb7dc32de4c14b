//! What a decision needs to know of a shipment.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ShipmentEvent, ShipmentLine};
use crate::decide::Aggregate;
use crate::ids::{CancellationId, OrderId};
use crate::orders::LineQuantity;
use crate::text::{Label, Quantity};

/// Where a shipment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShipmentStatus {
    /// It is to be packed.
    Pending,
    /// It left the house.
    Shipped,
    /// It arrived.
    Delivered,
    /// Everything was taken out of it before it left.
    Cancelled,
}

impl ShipmentStatus {
    /// The name that stands in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What a decision needs to know of a shipment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shipment {
    order_id: Option<OrderId>,
    status: Option<ShipmentStatus>,
    created: Vec<ShipmentLine>,
    lines: Vec<ShipmentLine>,
    shipped_with: Option<(Label, Label)>,
    cancellations: BTreeSet<CancellationId>,
}

impl Shipment {
    /// The order; `None` when there is no such shipment.
    pub fn order_id(&self) -> Option<&OrderId> {
        self.order_id.as_ref()
    }

    /// Where it stands; `None` when there is no such shipment.
    pub fn status(&self) -> Option<ShipmentStatus> {
        self.status
    }

    /// What it carries now.
    pub fn lines(&self) -> &[ShipmentLine] {
        &self.lines
    }

    /// What it was created with.
    pub(super) fn created(&self) -> &[ShipmentLine] {
        &self.created
    }

    pub(super) fn shipped_with(&self, carrier: &Label, tracking: &Label) -> bool {
        self.shipped_with.as_ref().is_some_and(|with| with.0 == *carrier && with.1 == *tracking)
    }

    pub(super) fn is_cancelled_by(&self, cancellation_id: &CancellationId) -> bool {
        self.cancellations.contains(cancellation_id)
    }

    /// Whether it has these lines and nothing else.
    pub(super) fn is_exactly(&self, lines: &[LineQuantity]) -> bool {
        self.without(lines).is_some_and(|rest| rest.is_empty())
    }

    /// The lines without `taken`; `None` when it has not that many.
    pub(super) fn without(&self, taken: &[LineQuantity]) -> Option<Vec<ShipmentLine>> {
        let mut left = self.lines.clone();
        for take in taken {
            let at = left.iter().position(|line| line.line == take.line)?;
            let units = left[at].quantity.get().checked_sub(take.quantity.get())?;
            match Quantity::new(units) {
                Ok(quantity) => left[at].quantity = quantity,
                Err(_) => drop(left.remove(at)),
            }
        }
        Some(left)
    }
}

impl Aggregate for Shipment {
    type Event = ShipmentEvent;

    fn evolve(mut self, event: &ShipmentEvent) -> Self {
        match event {
            ShipmentEvent::ShipmentCreated(event) => {
                self.order_id = Some(event.order_id.clone());
                self.status = Some(ShipmentStatus::Pending);
                self.created.clone_from(&event.lines);
                self.lines.clone_from(&event.lines);
            }
            ShipmentEvent::ShipmentSplit(event) => {
                self.lines = self.without(&event.moved).unwrap_or(self.lines);
            }
            ShipmentEvent::ShipmentShipped(event) => {
                self.status = Some(ShipmentStatus::Shipped);
                self.lines.clone_from(&event.lines);
                self.shipped_with = Some((event.carrier.clone(), event.tracking.clone()));
            }
            ShipmentEvent::ShipmentDelivered(_) => self.status = Some(ShipmentStatus::Delivered),
            ShipmentEvent::ShipmentCancelled(event) => {
                self.lines = self.without(&event.lines).unwrap_or(self.lines);
                self.cancellations.insert(event.cancellation_id.clone());
                if event.whole {
                    self.status = Some(ShipmentStatus::Cancelled);
                }
            }
            ShipmentEvent::ShipmentCancellationRefused(_) => {}
        }
        self
    }
}

//! What happens to a shipment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::context_events;
use crate::ids::{CancellationId, OrderId, ShipmentId, Sku};
use crate::orders::{LineNumber, LineQuantity};
use crate::stream::Stream;
use crate::text::{Label, Quantity, Reason};

/// What a shipment carries of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentLine {
    /// The order's line.
    pub line: LineNumber,
    /// What it is.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
}

/// A parcel is to be packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentCreated {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// What it carries.
    pub lines: Vec<ShipmentLine>,
}

/// Only a part was shipped: the rest moved to a shipment of its own, created in the same append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentSplit {
    /// The shipment that keeps the rest of `lines`.
    pub shipment_id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// The new shipment.
    pub remainder_id: ShipmentId,
    /// What moved to the new shipment.
    pub moved: Vec<LineQuantity>,
}

/// The parcel left the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentShipped {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// Who carries it.
    pub carrier: Label,
    /// The carrier's tracking number.
    pub tracking: Label,
    /// What is in it.
    pub lines: Vec<ShipmentLine>,
}

/// The parcel arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentDelivered {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// What was in it.
    pub lines: Vec<ShipmentLine>,
}

/// Lines were taken out of the parcel before it left; without lines left it is cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentCancelled {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// The cancellation that asked for it.
    pub cancellation_id: CancellationId,
    /// What was taken out.
    pub lines: Vec<LineQuantity>,
    /// True when nothing is left in it.
    pub whole: bool,
}

/// The lines can't be taken out any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentCancellationRefused {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// The cancellation that asked for it.
    pub cancellation_id: CancellationId,
    /// A stable code, such as `already_shipped`.
    pub code: Reason,
}

macro_rules! shipment_events {
    ($($event:ident = $version:literal),+ $(,)?) => {
        context_events! {
            /// The events of a shipment.
            ShipmentEvent { $($event = $version),+ }
        }

        impl ShipmentEvent {
            /// The shipment that the event is about.
            pub fn shipment_id(&self) -> &ShipmentId {
                match self { $(Self::$event(event) => &event.shipment_id),+ }
            }

            pub(crate) fn stream(&self) -> Stream {
                Stream::Shipment(self.shipment_id().clone())
            }

            pub(crate) fn order_id(&self) -> Option<&OrderId> {
                match self { $(Self::$event(event) => Some(&event.order_id)),+ }
            }
        }
    };
}

shipment_events! {
    ShipmentCreated = 1,
    ShipmentSplit = 1,
    ShipmentShipped = 1,
    ShipmentDelivered = 1,
    ShipmentCancelled = 1,
    ShipmentCancellationRefused = 1,
}

//! What happens to stock and to reservations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::context_events;
use crate::ids::{CancellationId, OrderId, ReturnId, ShipmentId, Sku};
use crate::stream::Stream;
use crate::text::{Quantity, Reason};

/// So many units of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkuQuantity {
    /// The SKU.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
}

/// Units arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReceived {
    /// The SKU.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The count was corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockAdjusted {
    /// The SKU.
    pub sku: Sku,
    /// Units added (positive) or taken away (negative).
    pub delta: i64,
    /// Why.
    pub reason: Reason,
}

/// Units are held for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReserved {
    /// The SKU.
    pub sku: Sku,
    /// The order that holds them.
    pub order_id: OrderId,
    /// How many units.
    pub quantity: Quantity,
}

/// Units that were held for an order are available again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReleased {
    /// The SKU.
    pub sku: Sku,
    /// The order that held them.
    pub order_id: OrderId,
    /// How many units.
    pub quantity: Quantity,
}

/// Units that were held for an order left the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockShipped {
    /// The SKU.
    pub sku: Sku,
    /// The order that they are for.
    pub order_id: OrderId,
    /// How many units.
    pub quantity: Quantity,
}

/// Returned units came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockRestocked {
    /// The SKU.
    pub sku: Sku,
    /// The order that they were bought with.
    pub order_id: OrderId,
    /// How many units.
    pub quantity: Quantity,
}

/// Returned units can't be sold again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockWrittenOff {
    /// The SKU.
    pub sku: Sku,
    /// The order that they were bought with.
    pub order_id: OrderId,
    /// How many units.
    pub quantity: Quantity,
}

context_events! {
    /// The events of a SKU's stock.
    StockEvent {
        StockReceived = 1,
        StockAdjusted = 1,
        StockReserved = 1,
        StockReleased = 1,
        StockShipped = 1,
        StockRestocked = 1,
        StockWrittenOff = 1,
    }
}

impl StockEvent {
    /// The SKU that the event is about.
    pub fn sku(&self) -> &Sku {
        match self {
            Self::StockReceived(event) => &event.sku,
            Self::StockAdjusted(event) => &event.sku,
            Self::StockReserved(event) => &event.sku,
            Self::StockReleased(event) => &event.sku,
            Self::StockShipped(event) => &event.sku,
            Self::StockRestocked(event) => &event.sku,
            Self::StockWrittenOff(event) => &event.sku,
        }
    }

    pub(crate) fn stream(&self) -> Stream {
        Stream::Stock(self.sku().clone())
    }

    pub(crate) fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::StockReceived(_) | Self::StockAdjusted(_) => None,
            Self::StockReserved(event) => Some(&event.order_id),
            Self::StockReleased(event) => Some(&event.order_id),
            Self::StockShipped(event) => Some(&event.order_id),
            Self::StockRestocked(event) => Some(&event.order_id),
            Self::StockWrittenOff(event) => Some(&event.order_id),
        }
    }
}

/// An order holds stock for all its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservationMade {
    /// The order.
    pub order_id: OrderId,
    /// What it holds, one entry a SKU.
    pub lines: Vec<SkuQuantity>,
}

/// A SKU that an order asked more of than there was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shortage {
    /// The SKU.
    pub sku: Sku,
    /// How many units were asked for.
    pub requested: Quantity,
    /// How many units were available.
    pub available: i64,
}

/// An order got no stock, for none of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservationRefused {
    /// The order.
    pub order_id: OrderId,
    /// What was missing; empty when the reservation had been released before it was asked for.
    pub short: Vec<Shortage>,
}

/// An order holds these units no more; nothing can be reserved for it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservationReleased {
    /// The order.
    pub order_id: OrderId,
    /// What it gave back; empty for a tombstone: a release that came before the reservation.
    pub lines: Vec<SkuQuantity>,
    /// The cancellation that it is for; for each only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_id: Option<CancellationId>,
}

/// Units that an order held were shipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservationShipped {
    /// The order.
    pub order_id: OrderId,
    /// The shipment that they left with.
    pub shipment_id: ShipmentId,
    /// What left.
    pub lines: Vec<SkuQuantity>,
}

/// Units of a return were taken back into stock or written off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnStocked {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// What came back.
    pub lines: Vec<SkuQuantity>,
    /// True when the units can be sold again, false when they were written off.
    pub restocked: bool,
}

context_events! {
    /// The events of an order's reservation.
    ReservationEvent {
        ReservationMade = 1,
        ReservationRefused = 1,
        ReservationReleased = 1,
        ReservationShipped = 1,
        ReturnStocked = 1,
    }
}

impl ReservationEvent {
    /// The order that the event is about.
    pub fn order(&self) -> &OrderId {
        match self {
            Self::ReservationMade(event) => &event.order_id,
            Self::ReservationRefused(event) => &event.order_id,
            Self::ReservationReleased(event) => &event.order_id,
            Self::ReservationShipped(event) => &event.order_id,
            Self::ReturnStocked(event) => &event.order_id,
        }
    }

    pub(crate) fn stream(&self) -> Stream {
        Stream::Reservation(self.order().clone())
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "every context answers this, so that `Event` can ask it"
    )]
    pub(crate) fn order_id(&self) -> Option<&OrderId> {
        Some(self.order())
    }
}

//! Shipments: the parcels of orders, and what is in them.

use domain::ids::{OrderId, ShipmentId};
use domain::orders::LineQuantity;
use domain::shipping::{ShipmentEvent, ShipmentLine, ShipmentStatus};
use domain::text::Quantity;
use serde::{Deserialize, Serialize};

use super::{FoldError, Seen};

/// A parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentRow {
    /// The shipment.
    pub id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: ShipmentStatus,
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's tracking number.
    pub tracking: Option<String>,
    /// What is in it.
    pub lines: Vec<ShipmentLine>,
    /// The version of its stream.
    pub version: u64,
}

/// The status after an event, if the event sets it. The order's own row uses it too.
pub fn status_after(event: &ShipmentEvent) -> Option<ShipmentStatus> {
    match event {
        ShipmentEvent::ShipmentCreated(_) => Some(ShipmentStatus::Pending),
        ShipmentEvent::ShipmentShipped(_) => Some(ShipmentStatus::Shipped),
        ShipmentEvent::ShipmentDelivered(_) => Some(ShipmentStatus::Delivered),
        ShipmentEvent::ShipmentCancelled(event) => event.whole.then_some(ShipmentStatus::Cancelled),
        ShipmentEvent::ShipmentSplit(_) | ShipmentEvent::ShipmentCancellationRefused(_) => None,
    }
}

/// Folds an event of a shipment.
pub fn fold(
    row: Option<ShipmentRow>,
    event: &ShipmentEvent,
    seen: Seen,
) -> Result<ShipmentRow, FoldError> {
    let begun = |row: Option<ShipmentRow>| {
        let key = event.shipment_id().as_str();
        row.ok_or_else(|| FoldError::nothing_began(event.event_type(), key))
    };
    let mut row = match event {
        ShipmentEvent::ShipmentCreated(event) => ShipmentRow {
            id: event.shipment_id.clone(),
            order_id: event.order_id.clone(),
            status: ShipmentStatus::Pending,
            carrier: None,
            tracking: None,
            lines: event.lines.clone(),
            version: 0,
        },
        ShipmentEvent::ShipmentSplit(event) => take_out(begun(row)?, &event.moved),
        ShipmentEvent::ShipmentShipped(event) => ShipmentRow {
            carrier: Some(event.carrier.as_str().to_owned()),
            tracking: Some(event.tracking.as_str().to_owned()),
            lines: event.lines.clone(),
            ..begun(row)?
        },
        ShipmentEvent::ShipmentCancelled(event) => take_out(begun(row)?, &event.lines),
        ShipmentEvent::ShipmentDelivered(_) | ShipmentEvent::ShipmentCancellationRefused(_) => {
            begun(row)?
        }
    };
    row.status = status_after(event).unwrap_or(row.status);
    row.version = seen.version;
    Ok(row)
}

fn take_out(mut row: ShipmentRow, taken: &[LineQuantity]) -> ShipmentRow {
    for LineQuantity { line, quantity } in taken {
        row.lines.retain_mut(|carried| {
            if carried.line != *line {
                return true;
            }
            let left = carried.quantity.get().saturating_sub(quantity.get());
            Quantity::new(left).map(|left| carried.quantity = left).is_ok()
        });
    }
    row
}

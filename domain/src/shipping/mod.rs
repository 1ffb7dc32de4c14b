//! Shipping: parcels of an order, from created to delivered.

mod cancel_shipment;
mod create_shipment;
mod events;
mod mark_delivered;
mod mark_shipped;
#[cfg(test)]
mod rules;
mod shipment;

pub use cancel_shipment::CancelShipment;
pub use create_shipment::CreateShipment;
pub use events::*;
pub use mark_delivered::MarkDelivered;
pub use mark_shipped::MarkShipped;
pub use shipment::{Shipment, ShipmentStatus};

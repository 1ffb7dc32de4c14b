//! Stock and reservations for tests.

use super::{
    ReservationMade, ReservationShipped, SkuQuantity, StockReceived, StockReserved, StockShipped,
};
use crate::catalog::fixtures::sku;
use crate::event::Event;
use crate::ids::{OrderId, ReturnId, ShipmentId};
use crate::text::Quantity;

pub(crate) fn order_id() -> OrderId {
    OrderId::parse("536365").unwrap()
}

pub(crate) fn shipment_id() -> ShipmentId {
    ShipmentId::nth(&order_id(), 1)
}

pub(crate) fn return_id() -> ReturnId {
    ReturnId::nth(&order_id(), 1)
}

pub(crate) fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

pub(crate) fn of(code: &str, quantity: u32) -> SkuQuantity {
    SkuQuantity { sku: sku(code), quantity: units(quantity) }
}

pub(crate) fn received(code: &str, quantity: u32) -> StockReceived {
    StockReceived { sku: sku(code), quantity: units(quantity), reason: None }
}

pub(crate) fn reserved(code: &str, quantity: u32) -> StockReserved {
    StockReserved { sku: sku(code), order_id: order_id(), quantity: units(quantity) }
}

pub(crate) fn made(lines: &[SkuQuantity]) -> ReservationMade {
    ReservationMade { order_id: order_id(), lines: lines.to_vec() }
}

/// 10 units of `A` and 5 of `B` are there; the order holds 3 and 2 of them.
pub(crate) fn holding() -> Vec<Event> {
    vec![
        received("A", 10).into(),
        received("B", 5).into(),
        reserved("A", 3).into(),
        reserved("B", 2).into(),
        made(&[of("A", 3), of("B", 2)]).into(),
    ]
}

/// What follows when a shipment takes these units.
pub(crate) fn shipped(lines: &[SkuQuantity]) -> Vec<Event> {
    let one = |line: &SkuQuantity| {
        let (sku, quantity) = (line.sku.clone(), line.quantity);
        StockShipped { sku, order_id: order_id(), quantity }.into()
    };
    let whole = ReservationShipped {
        order_id: order_id(),
        shipment_id: shipment_id(),
        lines: lines.to_vec(),
    };
    lines.iter().map(one).chain([whole.into()]).collect()
}

//! Which streams an order's placing is the first cause of.

use super::OrderEvent;
use crate::event::Event;
use crate::ids::{PaymentId, ShipmentId};
use crate::stream::Stream;

impl Event {
    /// Streams that are about to begin and can't have begun before this event: whoever sees it happen knows that they have
    /// no events yet.
    pub fn about_to_begin(&self) -> Vec<Stream> {
        let Self::Order(OrderEvent::OrderPlaced(placed)) = self else { return Vec::new() };
        let order_id = &placed.order_id;
        vec![
            Stream::Reservation(order_id.clone()),
            Stream::Payment(PaymentId::nth(order_id, 1)),
            Stream::Shipment(ShipmentId::nth(order_id, 1)),
            Stream::Commands(order_id.clone()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{order_id, placed};
    use crate::event::Event;

    #[test]
    fn an_order_that_is_placed_has_no_reservation_payment_or_shipment_yet() {
        let order_id = order_id();
        let streams: Vec<String> =
            Event::from(placed()).about_to_begin().iter().map(ToString::to_string).collect();
        let named = |prefix: &str, end: &str| format!("{prefix}-{order_id}{end}");
        assert_eq!(
            streams,
            [
                named("reservation", ""),
                named("payment", "-p1"),
                named("shipment", "-s1"),
                named("commands", "")
            ]
        );
    }
}

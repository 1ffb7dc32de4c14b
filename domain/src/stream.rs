//! The streams of the log: one per aggregate.

use std::fmt;

use crate::ids::{CustomerId, OrderId, PaymentId, ShipmentId, Sku, SubjectId};

macro_rules! streams {
    ($($(#[$doc:meta])* $name:ident($id:ident) = $prefix:literal),+ $(,)?) => {
        /// The name of a stream, typed by what lives in it.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Stream {
            $($(#[$doc])* $name($id)),+
        }

        impl Stream {
            /// Reads a stream's name; `None` when no context has such streams.
            pub fn parse(name: &str) -> Option<Self> {
                let (prefix, id) = name.split_once('-')?;
                match prefix {
                    $($prefix => $id::parse(id).ok().map(Self::$name),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for Stream {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$name(id) => write!(f, concat!($prefix, "-{}"), id)),+ }
            }
        }
    };
}

streams! {
    /// A product of the catalog.
    Product(Sku) = "product",
    /// The stock of a SKU.
    Stock(Sku) = "stock",
    /// A customer.
    Customer(CustomerId) = "customer",
    /// The reservation of an order: what it holds of every SKU.
    Reservation(OrderId) = "reservation",
    /// An order.
    Order(OrderId) = "order",
    /// A payment of an order.
    Payment(PaymentId) = "payment",
    /// A shipment of an order.
    Shipment(ShipmentId) = "shipment",
    /// What became of commands of an order's sagas that had no effect: refused, parked or unneeded.
    Commands(OrderId) = "commands",
    /// What operators did to a part of the platform.
    Operations(SubjectId) = "operations",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_the_stream_it_names() {
        let stream = Stream::Stock(Sku::parse("15056-BL ack").unwrap());
        assert_eq!(stream.to_string(), "stock-15056-BL ack");
        assert_eq!(Stream::parse("stock-15056-BL ack"), Some(stream));
        assert_eq!(Stream::parse("cart-1"), None);
    }
}

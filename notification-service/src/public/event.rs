//! The one list of public events: name, version, and what each says.

use serde_json::value::{RawValue, to_raw_value};

use super::payloads::{
    CustomerErased, LinesCancelled, OrderConfirmed, OrderOnly, OrderPlaced, OrderRejected,
    ParcelDelivered, ParcelShipped, PaymentAuthorized, PaymentCaptured, PaymentDeclined,
    PaymentRefunded, ReturnReceived, ReturnRequested,
};

/// A type of public events.
#[derive(Clone, Copy)]
pub struct PublicType {
    /// Its name, such as `order.placed`.
    pub name: &'static str,
    /// The version of what it says.
    pub version: u32,
    /// When it is told, in a sentence.
    pub told: &'static str,
    /// The schema of its `data`.
    pub schema: fn() -> schemars::Schema,
}

macro_rules! public_events {
    ($($(#[doc = $doc:literal])+ $variant:ident($payload:ty) = $name:literal, $version:literal;)+) => {
        /// What the outside world is told.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum PublicEvent { $($(#[doc = $doc])+ $variant($payload)),+ }

        impl PublicEvent {
            /// All types.
            pub const TYPES: &'static [PublicType] = &[$(PublicType {
                name: $name,
                version: $version,
                told: concat!($($doc),+),
                schema: || schemars::schema_for!($payload),
            }),+];

            /// Its type, such as `order.placed`.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),+ }
            }

            /// The version of what it says.
            pub fn version(&self) -> u32 {
                match self { $(Self::$variant(_) => $version),+ }
            }

            /// What it says, as JSON.
            pub(crate) fn data(&self) -> serde_json::Result<Box<RawValue>> {
                match self { $(Self::$variant(payload) => to_raw_value(payload)),+ }
            }
        }
    };
}

public_events! {
    /// An order was placed.
    OrderPlaced(OrderPlaced) = "order.placed", 1;
    /// Stock and money are held: the order will be carried out.
    OrderConfirmed(OrderConfirmed) = "order.confirmed", 1;
    /// The order will not be carried out.
    OrderRejected(OrderRejected) = "order.rejected", 1;
    /// The order stands still.
    OrderHeld(OrderOnly) = "order.held", 1;
    /// The order goes on.
    OrderReleased(OrderOnly) = "order.released", 1;
    /// A part of the order is cancelled.
    LinesCancelled(LinesCancelled) = "order.lines_cancelled", 1;
    /// The whole order is cancelled.
    OrderCancelled(OrderOnly) = "order.cancelled", 1;
    /// Everything is delivered or cancelled, and paid.
    OrderCompleted(OrderOnly) = "order.completed", 1;
    /// The personal data of a guest's order was erased.
    OrderErased(OrderOnly) = "order.erased", 1;
    /// A parcel left the house.
    ParcelShipped(ParcelShipped) = "parcel.shipped", 1;
    /// A parcel arrived.
    ParcelDelivered(ParcelDelivered) = "parcel.delivered", 1;
    /// The provider holds the amount.
    PaymentAuthorized(PaymentAuthorized) = "payment.authorized", 1;
    /// The provider declined.
    PaymentDeclined(PaymentDeclined) = "payment.declined", 1;
    /// The amount of a parcel was taken.
    PaymentCaptured(PaymentCaptured) = "payment.captured", 1;
    /// The amount of a return was given back.
    PaymentRefunded(PaymentRefunded) = "payment.refunded", 1;
    /// A customer wants to send something back.
    ReturnRequested(ReturnRequested) = "return.requested", 1;
    /// A return arrived.
    ReturnReceived(ReturnReceived) = "return.received", 1;
    /// The personal data of a customer was erased.
    CustomerErased(CustomerErased) = "customer.erased", 1;
}

impl PublicEvent {
    /// Whether there is such a type.
    pub fn is_type(name: &str) -> bool {
        Self::TYPES.iter().any(|kind| kind.name == name)
    }
}

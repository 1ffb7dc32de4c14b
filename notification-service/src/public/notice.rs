//! Which public events are told to the customer whose order it is. Pure.

use super::event::PublicEvent;

macro_rules! notices {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $file:literal;)+) => {
        /// What a shop's customer wants to know of an order. Nothing before it is decided: it may yet be undone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum NoticeKind { $($(#[doc = $doc])+ $kind),+ }

        impl NoticeKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The type of the public event, such as `order.confirmed`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            /// The stem of its template's file, such as `order_confirmed`.
            pub fn stem(self) -> &'static str {
                match self { $(Self::$kind => $file),+ }
            }
        }
    };
}

notices! {
    /// The order will be carried out.
    OrderConfirmed = "order.confirmed", "order_confirmed";
    /// It will not.
    OrderRejected = "order.rejected", "order_rejected";
    /// A part of it is cancelled.
    LinesCancelled = "order.lines_cancelled", "order_lines_cancelled";
    /// All of it is cancelled.
    OrderCancelled = "order.cancelled", "order_cancelled";
    /// A parcel left the house.
    ParcelShipped = "parcel.shipped", "parcel_shipped";
    /// A parcel arrived.
    ParcelDelivered = "parcel.delivered", "parcel_delivered";
    /// The money of a return is given back.
    PaymentRefunded = "payment.refunded", "payment_refunded";
}

impl NoticeKind {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl PublicEvent {
    /// What it is to the customer whose order it is about; `None` when it is nothing that they are told.
    pub fn notice(&self) -> Option<NoticeKind> {
        Some(match self {
            Self::OrderConfirmed(_) => NoticeKind::OrderConfirmed,
            Self::OrderRejected(_) => NoticeKind::OrderRejected,
            Self::LinesCancelled(_) => NoticeKind::LinesCancelled,
            Self::OrderCancelled(_) => NoticeKind::OrderCancelled,
            Self::ParcelShipped(_) => NoticeKind::ParcelShipped,
            Self::ParcelDelivered(_) => NoticeKind::ParcelDelivered,
            Self::PaymentRefunded(_) => NoticeKind::PaymentRefunded,
            // What may yet be undone, how it is paid, and what they did themselves.
            Self::OrderPlaced(_)
            | Self::OrderHeld(_)
            | Self::OrderReleased(_)
            | Self::OrderCompleted(_)
            | Self::OrderErased(_)
            | Self::PaymentAuthorized(_)
            | Self::PaymentDeclined(_)
            | Self::PaymentCaptured(_)
            | Self::ReturnRequested(_)
            | Self::ReturnReceived(_)
            | Self::CustomerErased(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_is_a_public_event() {
        for kind in NoticeKind::ALL {
            assert!(PublicEvent::is_type(kind.name()), "{kind:?}");
            assert_eq!(NoticeKind::named(kind.name()), Some(*kind));
            assert_eq!(kind.name().replace('.', "_"), kind.stem());
        }
    }
}

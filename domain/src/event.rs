//! Every event of the platform: one enum per context, and [`Event`] over them.
//!
//! An event is a fact: a struct with the id of its aggregate inside, so that it can be understood alone. Its type name
//! and schema version stand beside the payload in the log. A change to a payload that an older reader or an older event
//! would not survive needs a new schema version and an upcast in `from_json`; the golden files hold this.

use crate::ids::OrderId;
use crate::stream::Stream;

/// An event type of the log: its name, version and JSON Schema.
#[derive(Clone, Copy)]
pub struct EventType {
    /// The name that stands in the log, such as `OrderPlaced`.
    pub name: &'static str,
    /// The version that is written today.
    pub schema_version: u32,
    /// The schema of the payload at that version.
    pub schema: fn() -> schemars::Schema,
}

/// A stored payload that can't be read as its type says.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No context has this event type, or not in this version.
    #[error("no reader for event type `{event_type}` version {schema_version}")]
    UnknownType {
        /// The type that the log names.
        event_type: String,
        /// The version that the log names.
        schema_version: u32,
    },
    /// The payload is not what the type says.
    #[error("the payload of `{event_type}` version {schema_version} is not readable: {cause}")]
    Payload {
        /// The type that the log names.
        event_type: String,
        /// The version that the log names.
        schema_version: u32,
        /// What the JSON reader said.
        cause: serde_json::Error,
    },
}

/// Declares the events of one context: an enum with one variant per event struct of the same name.
macro_rules! context_events {
    ($(#[$doc:meta])* $context:ident { $($event:ident = $version:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $context {
            $(#[doc = concat!("See [`", stringify!($event), "`].")] $event($event)),+
        }

        impl $context {
            /// The event types of this context.
            pub const TYPES: &'static [$crate::event::EventType] = &[
                $($crate::event::EventType {
                    name: stringify!($event),
                    schema_version: $version,
                    schema: || schemars::schema_for!($event),
                }),+
            ];

            /// The name that stands in the log.
            pub fn event_type(&self) -> &'static str {
                match self { $(Self::$event(_) => stringify!($event)),+ }
            }

            /// The version of the payload's schema that this build writes.
            pub fn schema_version(&self) -> u32 {
                match self { $(Self::$event(_) => $version),+ }
            }

            /// The payload as JSON.
            pub fn to_json(&self) -> serde_json::Result<String> {
                match self { $(Self::$event(event) => serde_json::to_string(event)),+ }
            }

            /// Reads a payload; `None` when the type is not of this context.
            pub fn from_json(
                event_type: &str,
                schema_version: u32,
                payload: &str,
            ) -> Option<Result<Self, $crate::event::DecodeError>> {
                match (event_type, schema_version) {
                    $((stringify!($event), $version) => Some(
                        serde_json::from_str(payload).map(Self::$event).map_err(|cause| {
                            $crate::event::DecodeError::Payload {
                                event_type: event_type.to_owned(),
                                schema_version,
                                cause,
                            }
                        }),
                    ),)+
                    _ => None,
                }
            }
        }

        $(impl From<$event> for $context {
            fn from(event: $event) -> Self {
                Self::$event(event)
            }
        }
        impl From<$event> for $crate::event::Event {
            fn from(event: $event) -> Self {
                $context::$event(event).into()
            }
        })+
    };
}
pub(crate) use context_events;

macro_rules! all_contexts {
    ($($variant:ident($events:path)),+ $(,)?) => {
        /// Any event of the platform.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event {
            $(#[doc = concat!("An event of the context ", stringify!($variant), ".")] $variant($events)),+
        }

        impl Event {
            /// Every event type that this build writes.
            pub fn types() -> impl Iterator<Item = &'static EventType> {
                [$(<$events>::TYPES),+].into_iter().flatten()
            }

            /// The name that stands in the log.
            pub fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.event_type()),+ }
            }

            /// The version of the payload's schema that this build writes.
            pub fn schema_version(&self) -> u32 {
                match self { $(Self::$variant(event) => event.schema_version()),+ }
            }

            /// The payload as JSON.
            pub fn to_json(&self) -> serde_json::Result<String> {
                match self { $(Self::$variant(event) => event.to_json()),+ }
            }

            /// Reads a payload of the log.
            pub fn from_json(event_type: &str, schema_version: u32, payload: &str) -> Result<Self, DecodeError> {
                $(if let Some(read) = <$events>::from_json(event_type, schema_version, payload) {
                    return read.map(Self::$variant);
                })+
                Err(DecodeError::UnknownType { event_type: event_type.to_owned(), schema_version })
            }

            /// The stream that the event belongs to.
            pub fn stream(&self) -> Stream {
                match self { $(Self::$variant(event) => event.stream()),+ }
            }

            /// The order that the event is about, if it is about one.
            pub fn order_id(&self) -> Option<&OrderId> {
                match self { $(Self::$variant(event) => event.order_id()),+ }
            }
        }

        $(impl From<$events> for Event {
            fn from(event: $events) -> Self {
                Self::$variant(event)
            }
        })+
    };
}

all_contexts! {
    Product(crate::catalog::ProductEvent),
    Customer(crate::customers::CustomerEvent),
    Stock(crate::inventory::StockEvent),
    Reservation(crate::inventory::ReservationEvent),
    Order(crate::orders::OrderEvent),
    Payment(crate::payments::PaymentEvent),
    Shipment(crate::shipping::ShipmentEvent),
    Command(crate::sagas::CommandEvent),
    Operator(crate::operations::OperatorEvent),
}

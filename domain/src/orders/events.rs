//! What happens to an order. A cart is an order in the state Draft.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::context_events;
use crate::ids::{CancellationId, CustomerId, OrderId, PaymentId, ReturnId, ShipmentId, Sku};
use crate::money::{Currency, Money};
use crate::personal::{AddressDetails, Personal};
use crate::stream::Stream;
use crate::text::{Country, Label, PaymentMethod, Quantity, Reason};

/// The number of a line within its order, counted from 1.
pub type LineNumber = u32;

/// Where an order goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShippingAddress {
    /// The country, as given.
    pub country: Country,
    /// Name, street, town and telephone, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Personal<AddressDetails>>,
}

/// So many units of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineQuantity {
    /// The line's number.
    pub line: LineNumber,
    /// How many units.
    pub quantity: Quantity,
}

/// A line of a placed order. Its price is frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlacedLine {
    /// The line's number.
    pub line: LineNumber,
    /// What is bought.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
    /// The price of one unit in minor units of the order's currency.
    pub unit_price: i64,
    /// Whether units of it are kept in stock.
    pub stocked: bool,
}

/// A cart was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DraftCreated {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is; a guest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The one currency of the order.
    pub currency: Currency,
    /// How it will be paid.
    pub payment_method: PaymentMethod,
    /// Where it goes.
    pub shipping_address: ShippingAddress,
    /// The client's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Label>,
}

/// A line was added to a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineAdded {
    /// The order.
    pub order_id: OrderId,
    /// The new line's number.
    pub line: LineNumber,
    /// What is wanted.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
    /// A price agreed for this line; without it the catalog's price at placing holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}

/// A cart's line has another quantity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuantityChanged {
    /// The order.
    pub order_id: OrderId,
    /// The line's number.
    pub line: LineNumber,
    /// How many units it has now.
    pub quantity: Quantity,
}

/// A line was taken out of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineRemoved {
    /// The order.
    pub order_id: OrderId,
    /// The line's number; it is not given again.
    pub line: LineNumber,
}

/// The order stands, with frozen prices; its saga starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is; a guest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The one currency of the order.
    pub currency: Currency,
    /// Its lines, by their numbers. Those of a cart keep the numbers that they had in it, so there may be gaps.
    pub lines: Vec<PlacedLine>,
    /// Σ quantity × unit price, minor units.
    pub total: i64,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// Where it goes.
    pub shipping_address: ShippingAddress,
    /// The client's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Label>,
    /// Why, as far as whoever placed it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Stock and money are held: the order will be carried out. The pivot of the order saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderConfirmed {
    /// The order.
    pub order_id: OrderId,
    /// The payment that covers it; an order of total 0 has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
}

/// A further payment covers what is still to be captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentReplaced {
    /// The order.
    pub order_id: OrderId,
    /// The payment that captures come from now on.
    pub payment_id: PaymentId,
}

/// A step was refused or the order's deadline passed. From here on it can't be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectionStarted {
    /// The order.
    pub order_id: OrderId,
    /// A stable code: `out_of_stock`, the provider's decline code, `payment_failed`, `deadline_passed`.
    pub reason: Reason,
}

/// All that was done for the order is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderRejected {
    /// The order.
    pub order_id: OrderId,
    /// As in [`RejectionStarted`].
    pub reason: Reason,
}

/// The order stands still until it is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderHeld {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The order goes on from where it was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldReleased {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Someone asked to cancel. Before the pivot it refuses the pivot; after it, it starts a cancellation saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CancellationRequested {
    /// The order.
    pub order_id: OrderId,
    /// The cancellation; `None` before the pivot, where the whole order is undone by its own saga.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_id: Option<CancellationId>,
    /// What is to be cancelled.
    pub lines: Vec<LineQuantity>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The cancellation came too late; its lines go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CancellationDeclined {
    /// The order.
    pub order_id: OrderId,
    /// The cancellation.
    pub cancellation_id: CancellationId,
    /// A stable code, such as `already_shipped`.
    pub reason: Reason,
}

/// The lines of a cancellation are undone: parcel stopped, stock released, money voided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinesCancelled {
    /// The order.
    pub order_id: OrderId,
    /// The cancellation.
    pub cancellation_id: CancellationId,
    /// What was cancelled.
    pub lines: Vec<LineQuantity>,
    /// Σ quantity × unit price of it, minor units.
    pub amount: i64,
}

/// Every line is cancelled, or the order was cancelled before the pivot and is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelled {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A shipment of the order left the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinesShipped {
    /// The order.
    pub order_id: OrderId,
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// What is in it.
    pub lines: Vec<LineQuantity>,
}

/// A shipment of the order arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinesDelivered {
    /// The order.
    pub order_id: OrderId,
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// What was in it.
    pub lines: Vec<LineQuantity>,
}

/// The customer wants to send lines back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnRequested {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// What is to come back.
    pub lines: Vec<LineQuantity>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The return arrived; its money goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnReceived {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// What came back.
    pub lines: Vec<LineQuantity>,
    /// True when the units can be sold again, false when they are written off.
    pub restock: bool,
    /// Σ quantity × unit price of it, minor units.
    pub amount: i64,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Everything is delivered or cancelled, and what is due was captured, or settled by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCompleted {
    /// The order.
    pub order_id: OrderId,
}

/// The personal data of a guest's order can't be read any more, anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderErased {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

macro_rules! order_events {
    ($($event:ident = $version:literal),+ $(,)?) => {
        context_events! {
            /// The events of an order.
            OrderEvent { $($event = $version),+ }
        }

        impl OrderEvent {
            /// The order that the event is about.
            pub fn order(&self) -> &OrderId {
                match self { $(Self::$event(event) => &event.order_id),+ }
            }

            pub(crate) fn stream(&self) -> Stream {
                Stream::Order(self.order().clone())
            }

            pub(crate) fn order_id(&self) -> Option<&OrderId> {
                Some(self.order())
            }
        }
    };
}

order_events! {
    DraftCreated = 1,
    LineAdded = 1,
    QuantityChanged = 1,
    LineRemoved = 1,
    OrderPlaced = 1,
    OrderConfirmed = 1,
    PaymentReplaced = 1,
    RejectionStarted = 1,
    OrderRejected = 1,
    OrderHeld = 1,
    HoldReleased = 1,
    CancellationRequested = 1,
    CancellationDeclined = 1,
    LinesCancelled = 1,
    OrderCancelled = 1,
    LinesShipped = 1,
    LinesDelivered = 1,
    ReturnRequested = 1,
    ReturnReceived = 1,
    OrderCompleted = 1,
    OrderErased = 1,
}

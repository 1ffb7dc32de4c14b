//! What public events say, one struct a type. They are types of their own: a stored event may change its shape without anybody
//! outside hearing of it.
//!
//! A struct here only grows: a member that receivers read is never renamed or taken away. What needs that is the next version
//! of the type.

use schemars::JsonSchema;
use serde::Serialize;

/// An amount in the smallest unit of its currency
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Amount {
    /// Minor units, such as pennies.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// Which order it is about
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderHead {
    /// The order.
    pub order_id: String,
    /// Whose it is; a guest has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The reference that it was placed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// So many units of a line
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Units {
    /// The line's number.
    pub line: u32,
    /// How many units.
    pub quantity: u32,
}

/// So many units of a line, and of what
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ParcelLine {
    /// The order's line.
    pub line: u32,
    /// What it is.
    pub sku: String,
    /// How many units.
    pub quantity: u32,
}

/// A line of an order
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderLine {
    /// The line's number.
    pub line: u32,
    /// What is bought.
    pub sku: String,
    /// How many units.
    pub quantity: u32,
    /// The price of one unit, minor units of the order's currency.
    pub unit_price: i64,
}

/// An order was placed; whether it is carried out is decided next
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderPlaced {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// What it comes to.
    pub total: Amount,
    /// What is bought.
    pub lines: Vec<OrderLine>,
}

/// Stock and money are held: the order will be carried out
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderConfirmed {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// What it comes to.
    pub total: Amount,
}

/// The order will not be carried out, and all that was done for it is undone
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderRejected {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// A stable code, such as `out_of_stock`, `card_declined` or `deadline_passed`.
    pub code: String,
}

/// Nothing but which order it is
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderOnly {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
}

/// Lines, or some units of them, are cancelled and paid back
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LinesCancelled {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// The cancellation.
    pub cancellation_id: String,
    /// What was cancelled.
    pub lines: Vec<Units>,
    /// What that comes to.
    pub amount: Amount,
}

/// A parcel left the house
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ParcelShipped {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// The parcel.
    pub shipment_id: String,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's tracking number.
    pub tracking: String,
    /// What is in it.
    pub lines: Vec<ParcelLine>,
}

/// A parcel arrived
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ParcelDelivered {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// The parcel.
    pub shipment_id: String,
    /// What was in it.
    pub lines: Vec<ParcelLine>,
}

/// The provider holds the amount of an order
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PaymentAuthorized {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// The payment.
    pub payment_id: String,
    /// What is held.
    pub amount: Amount,
}

/// A payment was declined
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PaymentDeclined {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// The payment.
    pub payment_id: String,
    /// The provider's code, such as `insufficient_funds`.
    pub code: String,
}

/// The amount of a parcel was taken
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PaymentCaptured {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// The payment.
    pub payment_id: String,
    /// The parcel that is paid.
    pub shipment_id: String,
    /// What was taken.
    pub amount: Amount,
}

/// The amount of a return was given back
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PaymentRefunded {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// The payment.
    pub payment_id: String,
    /// The return that is paid back.
    pub return_id: String,
    /// What was given back.
    pub amount: Amount,
}

/// A customer wants to send something back
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReturnRequested {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// The return.
    pub return_id: String,
    /// What is to come back.
    pub lines: Vec<Units>,
}

/// A return arrived; its money goes back
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReturnReceived {
    /// Which order.
    #[serde(flatten)]
    pub order: OrderHead,
    /// The return.
    pub return_id: String,
    /// What came back.
    pub lines: Vec<Units>,
    /// What that comes to.
    pub amount: Amount,
}

/// A customer's personal data was erased: whoever has a copy erases it too
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CustomerErased {
    /// The customer.
    pub customer_id: String,
}

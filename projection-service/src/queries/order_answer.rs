//! How an order is shown: a line of the list, and the whole.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::{ReturnId, SagaId};
use domain::orders::{LineQuantity, ShippingAddress};
use event_store::keys::Vault;
use serde::Serialize;
use service_kit::problem::Problem;
use utoipa::ToSchema;

use super::answer::word;
use super::opening::open;
use super::sagas::SagaSummary;
use crate::folds::order_row::{
    Fulfilment, LineRow, OrderRow, OrderStatus, Pending, ReturnRow, ReturnStatus, SagaRow,
};
use crate::folds::payments::PaymentRow;

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderSummary {
    /// The order.
    pub id: String,
    /// The client's own reference.
    pub reference: Option<String>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it is held, rejected or cancelled, or about to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whose it is; a guest's order has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Its one currency.
    pub currency: String,
    /// Σ line amounts, minor units.
    pub total: i64,
    /// How many lines it has.
    pub lines: usize,
    /// How much of it is with the customer.
    pub fulfilment: Fulfilment,
    /// Where its payment stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<String>,
    /// Where it goes.
    pub country: String,
    /// Business time of its placing; a cart has none.
    pub placed_at: Option<DateTime<Utc>>,
    /// The version of its stream.
    pub version: u64,
}

impl From<&OrderRow> for OrderSummary {
    fn from(row: &OrderRow) -> Self {
        Self {
            id: row.id.as_str().to_owned(),
            reference: row.reference.clone(),
            status: row.status(),
            reason: row.reason.clone(),
            customer_id: row.customer_id.as_ref().map(|id| id.as_str().to_owned()),
            currency: row.currency.code().to_owned(),
            total: row.total,
            lines: row.lines.len(),
            fulfilment: row.fulfilment(),
            payment_status: row.payment().map(|payment| word(payment.status())),
            country: row.address.country.as_str().to_owned(),
            placed_at: row.placed_at,
            version: row.version,
        }
    }
}

/// A line of an order. `quantity = open + cancelled + shipped`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineAnswer {
    /// Its number, counted from 1.
    pub line: u32,
    /// What is bought.
    pub sku: String,
    /// Units ordered.
    pub quantity: u32,
    /// The price of a unit, minor units; `null` in a cart as long as none is agreed.
    pub unit_price: Option<i64>,
    /// The amount of all units, minor units.
    pub amount: Option<i64>,
    /// Units neither cancelled nor shipped.
    pub open: u32,
    /// Units cancelled.
    pub cancelled: u32,
    /// Units that left the house.
    pub shipped: u32,
    /// Units that arrived.
    pub delivered: u32,
    /// Units that came back.
    pub returned: u32,
}

impl From<&LineRow> for LineAnswer {
    fn from(row: &LineRow) -> Self {
        Self {
            line: row.line,
            sku: row.sku.as_str().to_owned(),
            quantity: row.quantity,
            unit_price: row.unit_price,
            amount: row.amount(),
            open: row.open(),
            cancelled: row.cancelled,
            shipped: row.shipped,
            delivered: row.delivered,
            returned: row.returned,
        }
    }
}

/// The payment of an order. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderPayment {
    /// The payment.
    pub id: String,
    /// Where it stands.
    pub status: String,
    /// What was ever held.
    pub authorized: i64,
    /// What was taken.
    pub captured: i64,
    /// What was given back of what was taken.
    pub refunded: i64,
    /// What the provider did not take and a person settled by hand.
    pub settled_by_hand: i64,
    /// What the provider did not give back and a person settled by hand.
    pub refunded_by_hand: i64,
}

impl From<&PaymentRow> for OrderPayment {
    fn from(row: &PaymentRow) -> Self {
        Self {
            id: row.id.as_str().to_owned(),
            status: word(row.status()),
            authorized: row.authorized,
            captured: row.captured,
            refunded: row.refunded,
            settled_by_hand: row.settled_by_hand,
            refunded_by_hand: row.refunded_by_hand,
        }
    }
}

/// A parcel of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderShipment {
    /// The shipment.
    pub id: String,
    /// Where it stands.
    pub status: String,
}

/// So many units of a line that come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReturnLine {
    /// The order's line.
    pub line: u32,
    /// How many units.
    pub quantity: u32,
}

/// A return of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderReturn {
    /// The return.
    pub id: String,
    /// How far it is.
    pub status: ReturnStatus,
    /// What comes back.
    pub lines: Vec<ReturnLine>,
}

impl From<(&ReturnId, &ReturnRow)> for OrderReturn {
    fn from((id, row): (&ReturnId, &ReturnRow)) -> Self {
        let line =
            |line: &LineQuantity| ReturnLine { line: line.line, quantity: line.quantity.get() };
        Self {
            id: id.as_str().to_owned(),
            status: row.status,
            lines: row.lines.iter().map(line).collect(),
        }
    }
}

/// A saga of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderSaga {
    /// The saga.
    pub id: String,
    /// `order`, `cancellation` or `return`.
    pub kind: String,
    /// Where it stands.
    pub state: String,
}

/// Where an order goes; what is personal is absent when it is erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AddressAnswer {
    /// The country.
    pub country: String,
    /// The recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Street and house.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<String>>,
    /// Post code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// Town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// True when what is personal can't be read any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// An order, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderAnswer {
    /// The order.
    pub id: String,
    /// The client's own reference.
    pub reference: Option<String>,
    /// Where it stands.
    pub status: OrderStatus,
    /// What it is on its way to while it is undone before its confirmation.
    pub pending: Option<Pending>,
    /// Why it is held, rejected or cancelled, or about to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whose it is; a guest's order has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Its one currency.
    pub currency: String,
    /// Σ line amounts, minor units.
    pub total: i64,
    /// Its lines.
    pub lines: Vec<LineAnswer>,
    /// How much of it is with the customer.
    pub fulfilment: Fulfilment,
    /// Its payment; `null` when none was asked for.
    pub payment: Option<OrderPayment>,
    /// Its parcels.
    pub shipments: Vec<OrderShipment>,
    /// Its returns.
    pub returns: Vec<OrderReturn>,
    /// Its sagas.
    pub sagas: Vec<OrderSaga>,
    /// Where it goes.
    pub shipping_address: AddressAnswer,
    /// Business time of its placing; a cart has none.
    pub placed_at: Option<DateTime<Utc>>,
    /// The version of its stream.
    pub version: u64,
}

/// Opens what is personal and puts the whole together. `sagas` are shown where they are known exactly.
pub(super) async fn whole(
    vault: &Vault,
    row: &OrderRow,
    sagas: Vec<SagaSummary>,
) -> Result<OrderAnswer, Problem> {
    let shipment = |(id, status): (&domain::ids::ShipmentId, _)| OrderShipment {
        id: id.as_str().to_owned(),
        status: word(status),
    };
    Ok(OrderAnswer {
        id: row.id.as_str().to_owned(),
        reference: row.reference.clone(),
        status: row.status(),
        pending: row.pending,
        reason: row.reason.clone(),
        customer_id: row.customer_id.as_ref().map(|id| id.as_str().to_owned()),
        currency: row.currency.code().to_owned(),
        total: row.total,
        lines: row.lines.iter().map(LineAnswer::from).collect(),
        fulfilment: row.fulfilment(),
        payment: row.payment().map(OrderPayment::from),
        shipments: row.shipments.iter().map(shipment).collect(),
        returns: row.returns.iter().map(OrderReturn::from).collect(),
        sagas: saga_answers(&row.sagas, sagas),
        shipping_address: address(vault, &row.address, row.erased).await?,
        placed_at: row.placed_at,
        version: row.version,
    })
}

fn saga_answers(told: &BTreeMap<SagaId, SagaRow>, exact: Vec<SagaSummary>) -> Vec<OrderSaga> {
    let mut sagas: BTreeMap<SagaId, OrderSaga> = BTreeMap::new();
    let told = told.iter().map(|(id, saga)| (id.clone(), saga.kind, saga.state));
    for (id, kind, state) in
        told.chain(exact.into_iter().map(|saga| (saga.id, saga.kind, saga.state)))
    {
        let answer = OrderSaga { id: id.as_str().to_owned(), kind: word(kind), state: word(state) };
        sagas.insert(id, answer);
    }
    sagas.into_values().collect()
}

async fn address(
    vault: &Vault,
    address: &ShippingAddress,
    erased: bool,
) -> Result<AddressAnswer, Problem> {
    let country = address.country.as_str().to_owned();
    let Some(sealed) = &address.details else {
        return Ok(AddressAnswer { country, erased, ..AddressAnswer::default() });
    };
    let Some(details) = open(vault, Some(sealed)).await? else {
        return Ok(AddressAnswer { country, erased: true, ..AddressAnswer::default() });
    };
    Ok(AddressAnswer {
        country,
        name: details.name,
        lines: Some(details.lines).filter(|lines| !lines.is_empty()),
        postcode: details.postcode,
        city: details.city,
        phone: details.phone,
        erased,
    })
}

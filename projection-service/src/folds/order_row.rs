//! The row of an order: all that its list entry and its detail say.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::{CustomerId, OrderId, PaymentId, ReturnId, SagaId, ShipmentId, Sku};
use domain::money::Currency;
use domain::orders::{LineQuantity, ShippingAddress};
use domain::sagas::{SagaKind, SagaState};
use domain::shipping::ShipmentStatus;
use domain::text::Reason;
use serde::{Deserialize, Serialize};

use super::payments::PaymentRow;

/// Where an order stands in its life, apart from being held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A cart.
    Draft,
    /// It stands; its saga runs.
    Placed,
    /// Stock and money are held.
    Confirmed,
    /// A parcel left.
    Fulfilling,
    /// Everything is delivered or cancelled, and paid.
    Completed,
    /// It could not be carried out; all is undone.
    Rejected,
    /// Someone did not want it any more; all is undone.
    Cancelled,
}

/// The status that clients see and filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// A cart.
    Draft,
    /// It stands; its saga runs.
    Placed,
    /// Stock and money are held.
    Confirmed,
    /// A parcel left.
    Fulfilling,
    /// Everything is delivered or cancelled, and paid.
    Completed,
    /// It stands still until it is released.
    OnHold,
    /// It could not be carried out.
    Rejected,
    /// Someone did not want it any more.
    Cancelled,
}

impl OrderStatus {
    /// As it stands in answers and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Placed => "placed",
            Self::Confirmed => "confirmed",
            Self::Fulfilling => "fulfilling",
            Self::Completed => "completed",
            Self::OnHold => "on_hold",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What an order is on its way to while it is undone before its confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    /// It will be cancelled.
    Cancellation,
    /// It will be rejected.
    Rejection,
}

/// How far a return is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnStatus {
    /// The customer wants to send it.
    Requested,
    /// It arrived.
    Received,
}

/// A return of units of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnRow {
    /// How far it is.
    pub status: ReturnStatus,
    /// What comes back.
    pub lines: Vec<LineQuantity>,
}

/// How much of an order is with the customer. Derived from its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fulfilment {
    /// Nothing left the house.
    None,
    /// Something left, something is still open.
    Partial,
    /// All that was not cancelled left.
    Shipped,
    /// All that was not cancelled arrived.
    Delivered,
}

/// A line of an order. `ordered = open + cancelled + shipped`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRow {
    /// Its number, counted from 1.
    pub line: u32,
    /// What is bought.
    pub sku: Sku,
    /// Units ordered.
    pub quantity: u32,
    /// The price of a unit in minor units; a cart's line without an agreed price has none yet.
    pub unit_price: Option<i64>,
    /// Units cancelled.
    #[serde(default)]
    pub cancelled: u32,
    /// Units that left the house.
    #[serde(default)]
    pub shipped: u32,
    /// Units that arrived.
    #[serde(default)]
    pub delivered: u32,
    /// Units that came back.
    #[serde(default)]
    pub returned: u32,
}

impl LineRow {
    /// Units that are neither cancelled nor shipped.
    pub fn open(&self) -> u32 {
        self.quantity.saturating_sub(self.cancelled).saturating_sub(self.shipped)
    }

    /// The amount of all units; nothing while there is no price.
    pub fn amount(&self) -> Option<i64> {
        self.unit_price.map(|price| price.saturating_mul(i64::from(self.quantity)))
    }
}

/// One of the order's sagas, as far as events tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaRow {
    /// Which one it is.
    pub kind: SagaKind,
    /// Where it stands.
    pub state: SagaState,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// The order.
    pub id: OrderId,
    /// The client's own reference.
    pub reference: Option<String>,
    /// Where it stands in its life.
    pub phase: Phase,
    /// True while it stands still.
    pub held: bool,
    /// What it is on its way to while it is undone before its confirmation.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// Why it is held, rejected or cancelled, or about to be.
    pub reason: Option<String>,
    /// Whose it is; a guest has none.
    pub customer_id: Option<CustomerId>,
    /// Its one currency.
    pub currency: Currency,
    /// Σ line amounts, minor units.
    pub total: i64,
    /// Its lines, by number.
    pub lines: Vec<LineRow>,
    /// Its payments.
    pub payments: BTreeMap<PaymentId, PaymentRow>,
    /// The payment that captures come from.
    pub payment_id: Option<PaymentId>,
    /// Its parcels.
    pub shipments: BTreeMap<ShipmentId, ShipmentStatus>,
    /// Its returns.
    #[serde(default)]
    pub returns: BTreeMap<ReturnId, ReturnRow>,
    /// Its sagas, as far as events tell.
    pub sagas: BTreeMap<SagaId, SagaRow>,
    /// Where it goes; what is personal stays sealed.
    pub address: ShippingAddress,
    /// True when its personal data can't be read any more.
    pub erased: bool,
    /// Business time of its first event.
    pub created_at: DateTime<Utc>,
    /// Business time of its placing; a cart has none.
    pub placed_at: Option<DateTime<Utc>>,
    /// The version of its stream.
    pub version: u64,
}

impl OrderRow {
    /// The status that clients see.
    pub fn status(&self) -> OrderStatus {
        match self.phase {
            Phase::Placed | Phase::Confirmed | Phase::Fulfilling if self.held => {
                OrderStatus::OnHold
            }
            Phase::Draft => OrderStatus::Draft,
            Phase::Placed => OrderStatus::Placed,
            Phase::Confirmed => OrderStatus::Confirmed,
            Phase::Fulfilling => OrderStatus::Fulfilling,
            Phase::Completed => OrderStatus::Completed,
            Phase::Rejected => OrderStatus::Rejected,
            Phase::Cancelled => OrderStatus::Cancelled,
        }
    }

    /// How much of it is with the customer.
    pub fn fulfilment(&self) -> Fulfilment {
        let sum = |count: fn(&LineRow) -> u32| -> u64 {
            self.lines.iter().map(|line| u64::from(count(line))).sum()
        };
        let (open, shipped) = (sum(LineRow::open), sum(|line| line.shipped));
        match shipped {
            0 => Fulfilment::None,
            _ if open > 0 => Fulfilment::Partial,
            _ if sum(|line| line.delivered) < shipped => Fulfilment::Shipped,
            _ => Fulfilment::Delivered,
        }
    }

    /// The payment that captures come from; before the order is confirmed, the newest one.
    pub fn payment(&self) -> Option<&PaymentRow> {
        match &self.payment_id {
            Some(id) => self.payments.get(id),
            None => self.payments.last_key_value().map(|(_, payment)| payment),
        }
    }

    /// When the list sorts it: placed, or begun as a cart.
    pub fn listed_at(&self) -> DateTime<Utc> {
        self.placed_at.unwrap_or(self.created_at)
    }

    /// It ended as rejected or cancelled: nothing of it is held, pending or open any more.
    pub(super) fn give_up(&mut self, phase: Phase, reason: Option<&Reason>) {
        self.phase = phase;
        self.held = false;
        self.pending = None;
        self.because(reason);
        for line in &mut self.lines {
            line.cancelled = line.cancelled.saturating_add(line.open());
        }
    }

    pub(super) fn because(&mut self, reason: Option<&Reason>) {
        self.reason = reason.map(|reason| reason.as_str().to_owned());
    }

    pub(super) fn each(&mut self, lines: &[LineQuantity], change: impl Fn(&mut LineRow, u32)) {
        for LineQuantity { line, quantity } in lines {
            if let Ok(at) = self.lines.binary_search_by_key(line, |row| row.line) {
                change(&mut self.lines[at], quantity.get());
            }
        }
    }

    pub(super) fn saga(&mut self, id: SagaId, kind: SagaKind, state: SagaState) {
        self.sagas.insert(id, SagaRow { kind, state });
    }

    pub(super) fn order_saga(&mut self, state: SagaState) {
        self.saga(SagaId::of_order(&self.id), SagaKind::Order, state);
    }

    pub(super) fn sum_lines(&mut self) {
        let amounts = self.lines.iter().filter_map(LineRow::amount);
        self.total = amounts.fold(0_i64, i64::saturating_add);
    }
}

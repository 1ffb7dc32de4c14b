//! A line of a placed order: how many units of it are where.
//!
//! **Invariant (law 1):** `ordered = open + cancelled + shipped` and `shipped ≥ delivered ≥ returned ≥ 0`.

use serde::{Deserialize, Serialize};

use super::{LineNumber, PlacedLine};
use crate::ids::Sku;

/// A line of a placed order. Its price is frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Its number within the order.
    pub line: LineNumber,
    /// What is bought.
    pub sku: Sku,
    /// The price of one unit in minor units of the order's currency.
    pub unit_price: i64,
    /// Whether units of it are kept in stock.
    pub stocked: bool,
    /// Units that were ordered.
    pub ordered: u32,
    /// Units that were cancelled.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cancelled: u32,
    /// Units that left the house.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shipped: u32,
    /// Units that arrived.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delivered: u32,
    /// Units that came back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub returned: u32,
    /// Units of running cancellations; no other may ask for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) cancelling: u32,
    /// Units of returns on their way; no other may ask for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) returning: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(units: &u32) -> bool {
    *units == 0
}

impl OrderLine {
    pub(super) fn new(line: &PlacedLine) -> Self {
        Self {
            line: line.line,
            sku: line.sku.clone(),
            unit_price: line.unit_price,
            stocked: line.stocked,
            ordered: line.quantity.get(),
            cancelled: 0,
            shipped: 0,
            delivered: 0,
            returned: 0,
            cancelling: 0,
            returning: 0,
        }
    }

    /// Units that are neither cancelled nor shipped.
    pub fn open(&self) -> u32 {
        self.ordered.saturating_sub(self.cancelled).saturating_sub(self.shipped)
    }

    /// Open units that no running cancellation asks for.
    pub fn cancellable(&self) -> u32 {
        self.open().saturating_sub(self.cancelling)
    }

    /// Delivered units that neither came back nor are about to.
    pub fn returnable(&self) -> u32 {
        self.delivered.saturating_sub(self.returned).saturating_sub(self.returning)
    }

    /// What so many units of it cost. Never more than the order's total, which was checked when it was placed.
    pub fn amount_of(&self, units: u32) -> i64 {
        i64::from(units).saturating_mul(self.unit_price)
    }

    /// Whether law 1 holds.
    pub fn is_balanced(&self) -> bool {
        u64::from(self.ordered)
            == u64::from(self.open()) + u64::from(self.cancelled) + u64::from(self.shipped)
            && self.shipped >= self.delivered
            && self.delivered >= self.returned
    }
}

//! Stock: how many units of a SKU there are, and how many of them are held for orders.

use domain::ids::Sku;
use domain::inventory::StockEvent;

use super::Seen;

/// The stock of a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRow {
    /// The SKU.
    pub sku: Sku,
    /// Units that can be promised.
    pub available: i64,
    /// Units that are held for orders.
    pub reserved: i64,
    /// The version of its stream.
    pub version: u64,
}

impl StockRow {
    /// Units in the house.
    pub fn on_hand(&self) -> i64 {
        self.available.saturating_add(self.reserved)
    }
}

/// The stock of a SKU that nothing happened to yet: its stream has no event.
pub fn begin(sku: Sku) -> StockRow {
    StockRow { sku, available: 0, reserved: 0, version: 0 }
}

/// Folds an event of a SKU's stock.
pub fn fold(row: Option<StockRow>, event: &StockEvent, seen: Seen) -> StockRow {
    let mut row = row.unwrap_or_else(|| begin(event.sku().clone()));
    let (available, reserved) = match event {
        StockEvent::StockReceived(event) => (i64::from(event.quantity.get()), 0),
        StockEvent::StockAdjusted(event) => (event.delta, 0),
        StockEvent::StockReserved(event) => {
            let units = i64::from(event.quantity.get());
            (-units, units)
        }
        StockEvent::StockReleased(event) => {
            let units = i64::from(event.quantity.get());
            (units, -units)
        }
        StockEvent::StockShipped(event) => (0, -i64::from(event.quantity.get())),
        StockEvent::StockRestocked(event) => (i64::from(event.quantity.get()), 0),
        StockEvent::StockWrittenOff(event) => (-i64::from(event.quantity.get()), 0),
    };
    row.available = row.available.saturating_add(available);
    row.reserved = row.reserved.saturating_add(reserved);
    row.version = seen.version;
    row
}

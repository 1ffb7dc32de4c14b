//! Sales: what each order brought, and the cells of the report that follow from it.
//!
//! A row holds the facts of one order. What an order adds to the report is a pure function of its row, so the cells
//! change by the difference between the row after and before a batch.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::money::Currency;
use domain::orders::{LineQuantity, OrderEvent};
use serde::{Deserialize, Serialize};

use super::{FoldError, Seen};

/// What the report needs to know of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesRow {
    /// The order.
    pub order_id: String,
    /// The day of its business time.
    pub day: NaiveDate,
    /// Where it went.
    pub country: String,
    /// Its currency.
    pub currency: Currency,
    /// True from its confirmation on.
    pub confirmed: bool,
    /// Units ordered, less cancelled ones.
    pub units: i64,
    /// Σ line amounts, less cancelled ones, minor units.
    pub sales: i64,
    /// Received returns by the day of their own time, minor units.
    pub returns: BTreeMap<NaiveDate, i64>,
}

/// One cell of the report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellKey {
    /// The day.
    pub day: NaiveDate,
    /// The country.
    pub country: String,
    /// The currency.
    pub currency: Currency,
}

/// What stands in a cell; amounts in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cell {
    /// Confirmed orders.
    pub orders: i64,
    /// Units of their lines.
    pub units: i64,
    /// Amount of their lines.
    pub sales: i64,
    /// Amount of received returns, positive.
    pub returns: i64,
}

impl Cell {
    /// True when nothing happened in it.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// Both together. Sums wrap: what goes beyond all bounds comes back when it is taken away again, where a sum that stays at
    /// its bound would be wrong for ever.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            orders: self.orders.wrapping_add(other.orders),
            units: self.units.wrapping_add(other.units),
            sales: self.sales.wrapping_add(other.sales),
            returns: self.returns.wrapping_add(other.returns),
        }
    }

    /// What `other` takes away.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            orders: self.orders.wrapping_sub(other.orders),
            units: self.units.wrapping_sub(other.units),
            sales: self.sales.wrapping_sub(other.sales),
            returns: self.returns.wrapping_sub(other.returns),
        }
    }
}

/// What an order adds to each cell.
pub fn cells(row: &SalesRow) -> BTreeMap<CellKey, Cell> {
    let key = |day| CellKey { day, country: row.country.clone(), currency: row.currency };
    let mut cells = BTreeMap::new();
    if row.confirmed {
        let cell = Cell { orders: 1, units: row.units, sales: row.sales, returns: 0 };
        cells.insert(key(row.day), cell);
    }
    for (day, returns) in &row.returns {
        let cell = cells.entry(key(*day)).or_default();
        *cell = cell.plus(Cell { returns: *returns, ..Cell::default() });
    }
    cells
}

/// How the cells change when an order's row becomes another.
pub fn change(before: Option<&SalesRow>, after: &SalesRow) -> BTreeMap<CellKey, Cell> {
    let mut changes = cells(after);
    for (key, cell) in before.map(cells).unwrap_or_default() {
        let change = changes.entry(key).or_default();
        *change = change.minus(cell);
    }
    changes.retain(|_, change| !change.is_zero());
    changes
}

fn units(lines: &[LineQuantity]) -> i64 {
    lines.iter().map(|line| i64::from(line.quantity.get())).sum()
}

/// Folds an event of an order. A cart is no sale: it has no row.
pub fn fold(
    row: Option<SalesRow>,
    event: &OrderEvent,
    seen: Seen,
) -> Result<Option<SalesRow>, FoldError> {
    let placed = |row: Option<SalesRow>| {
        let key = event.order().as_str();
        row.ok_or_else(|| FoldError::nothing_began(event.event_type(), key))
    };
    match event {
        OrderEvent::OrderPlaced(event) => Ok(Some(SalesRow {
            order_id: event.order_id.as_str().to_owned(),
            day: seen.occurred_at.date_naive(),
            country: event.shipping_address.country.as_str().to_owned(),
            currency: event.currency,
            confirmed: false,
            units: event.lines.iter().map(|line| i64::from(line.quantity.get())).sum(),
            sales: event.total,
            returns: BTreeMap::new(),
        })),
        OrderEvent::OrderConfirmed(_) => Ok(Some(SalesRow { confirmed: true, ..placed(row)? })),
        OrderEvent::LinesCancelled(event) => {
            let row = placed(row)?;
            Ok(Some(SalesRow {
                units: row.units.wrapping_sub(units(&event.lines)),
                sales: row.sales.wrapping_sub(event.amount),
                ..row
            }))
        }
        OrderEvent::ReturnReceived(event) => {
            let mut row = placed(row)?;
            let returned = row.returns.entry(seen.occurred_at.date_naive()).or_default();
            *returned = returned.wrapping_add(event.amount);
            Ok(Some(row))
        }
        OrderEvent::DraftCreated(_)
        | OrderEvent::LineAdded(_)
        | OrderEvent::QuantityChanged(_)
        | OrderEvent::LineRemoved(_)
        | OrderEvent::PaymentReplaced(_)
        | OrderEvent::RejectionStarted(_)
        | OrderEvent::OrderRejected(_)
        | OrderEvent::OrderHeld(_)
        | OrderEvent::HoldReleased(_)
        | OrderEvent::CancellationRequested(_)
        | OrderEvent::CancellationDeclined(_)
        | OrderEvent::OrderCancelled(_)
        | OrderEvent::LinesShipped(_)
        | OrderEvent::LinesDelivered(_)
        | OrderEvent::ReturnRequested(_)
        | OrderEvent::OrderCompleted(_)
        | OrderEvent::OrderErased(_) => Ok(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_beyond_all_bounds_comes_back_when_it_is_taken_away() {
        let large = Cell { orders: 1, units: 1, sales: i64::MAX, returns: i64::MAX };
        let small = Cell { orders: 1, units: 2, sales: 300, returns: 40 };
        let sum = small.plus(large).plus(large);
        assert_eq!(sum.minus(large).minus(large), small);
    }
}

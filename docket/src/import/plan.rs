//! What is to be done: products, customers, opening stock, orders, corrections and returns.

use super::names::{Name, Names};
use super::rows::{Place, RetailFile};
use super::timestamp::Timestamp;

/// A stock code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Product {
    /// The code as written.
    pub(crate) sku: Name,
    /// The first description that is not empty, else the code.
    pub(crate) name: Name,
    /// The first price above 0, else 0.
    pub(crate) pence: i64,
    /// Whether it is kept in stock: its code begins with five digits.
    pub(crate) stocked: bool,
    /// Where the first row that names it stands.
    pub(crate) place: Place,
}

/// Stock to receive so that everything that one file sells or takes away is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cover {
    /// Where the file's first row stands that needs it.
    pub(crate) place: Place,
    /// The stocked code.
    pub(crate) sku: Name,
    /// How many units.
    pub(crate) quantity: u64,
    /// When the file first names the code.
    pub(crate) time: Timestamp,
}

/// An order: the sale and free lines of one invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// The invoice number, which becomes the order's id.
    pub(crate) invoice: Name,
    /// The first time on it.
    pub(crate) time: Timestamp,
    /// The customer; none for a guest.
    pub(crate) customer: Option<Name>,
    /// Where it goes.
    pub(crate) country: Name,
    /// Its lines, in file order.
    pub(crate) lines: Vec<Line>,
    /// Where its first row stands.
    pub(crate) place: Place,
}

impl Order {
    /// The lines' sum, in pence.
    pub(crate) fn amount(&self) -> i64 {
        self.lines.iter().map(Line::amount).fold(0, i64::saturating_add)
    }
}

/// A line of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// The code.
    pub(crate) sku: Name,
    /// Units, at least 1.
    pub(crate) quantity: u32,
    /// The unit price in pence.
    pub(crate) pence: i64,
}

impl Line {
    /// Quantity times price, in pence.
    pub(crate) fn amount(&self) -> i64 {
        self.pence.saturating_mul(i64::from(self.quantity))
    }
}

/// An adjustment of stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Correction {
    /// The invoice it stands on.
    pub(crate) invoice: Name,
    /// Which of that invoice's corrections, from 1.
    pub(crate) nth: u32,
    /// The code.
    pub(crate) sku: Name,
    /// Units to add, or to take away.
    pub(crate) delta: i32,
    /// The description; may be empty.
    pub(crate) reason: Name,
    /// When.
    pub(crate) time: Timestamp,
    /// Where it stands.
    pub(crate) place: Place,
}

/// A return row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Return {
    /// The invoice it stands on.
    pub(crate) invoice: Name,
    /// Which of that invoice's returns, from 1.
    pub(crate) nth: u32,
    /// The code.
    pub(crate) sku: Name,
    /// Units that come back, at least 1.
    pub(crate) quantity: u32,
    /// The unit price in pence.
    pub(crate) pence: i64,
    /// When.
    pub(crate) time: Timestamp,
    /// Whose.
    pub(crate) customer: Option<Name>,
    /// How many rows say this: more than one when files overlap.
    pub(crate) rows: u32,
    /// Where the first of them stands.
    pub(crate) place: Place,
}

impl Return {
    /// Quantity times price, in pence.
    pub(crate) fn amount(&self) -> i64 {
        self.pence.saturating_mul(i64::from(self.quantity))
    }
}

/// How many rows are of each class; returns are told apart only when they have been matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowCounts {
    /// Sale lines.
    pub(crate) sale: u64,
    /// Free lines.
    pub(crate) free: u64,
    /// Stock corrections.
    pub(crate) correction: u64,
    /// Bad debt.
    pub(crate) not_an_order: u64,
}

/// Everything that is to be done.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The texts.
    pub(crate) names: Names,
    /// The files.
    pub(crate) files: Vec<RetailFile>,
    /// Every code that a row names, in order of appearance.
    pub(crate) products: Vec<Product>,
    /// Every customer that a row names.
    pub(crate) customers: Vec<Name>,
    /// Opening stock that covers each file.
    pub(crate) cover: Vec<Cover>,
    /// The orders, in file order.
    pub(crate) orders: Vec<Order>,
    /// The corrections, in file order.
    pub(crate) corrections: Vec<Correction>,
    /// The returns, in file order.
    pub(crate) returns: Vec<Return>,
    /// The rows' classes.
    pub(crate) rows: RowCounts,
}

impl Plan {
    /// A row's place, for people: file and line.
    pub(crate) fn shown(&self, place: Place) -> String {
        format!("{}:{}", self.path(place), place.line)
    }

    /// The path of the file that a row stands in.
    pub(crate) fn path(&self, place: Place) -> &str {
        self.files.get(usize::from(place.file)).map_or("", |file| file.path.as_str())
    }
}

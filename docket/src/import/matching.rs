//! Which order a return belongs to. Pure.
//!
//! **Invariant:** a return is matched whole with one order of its customer, strictly earlier and delivered, and the
//! matched units of a line never exceed what of it was delivered and is not on its way back. A return that the platform
//! has already stays where it is.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::names::Name;
use super::plan::{Order, Plan, Return};
use super::timestamp::Timestamp;

/// A return and the order that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched {
    /// Index into the plan's returns.
    pub(crate) returned: usize,
    /// The order's id.
    pub(crate) order: String,
    /// Line numbers, from 1, with the units that come back.
    pub(crate) lines: Vec<(u32, u32)>,
}

/// The returns, each matched or not.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    /// In file order.
    pub(crate) matched: Vec<Matched>,
    /// Indices into the plan's returns.
    pub(crate) unmatched: Vec<usize>,
}

/// A delivered order, and what of it can still come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shelf {
    /// The order's id.
    pub(crate) order: String,
    /// Whose it is.
    pub(crate) customer: Name,
    /// When it was placed.
    pub(crate) time: Timestamp,
    /// Its lines.
    pub(crate) lines: Vec<ShelfLine>,
}

/// A line of a delivered order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShelfLine {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// The code; none when no row of the files names it.
    pub(crate) sku: Option<Name>,
    /// The unit price in pence.
    pub(crate) pence: i64,
    /// Units that were delivered and are not on their way back.
    pub(crate) left: u32,
}

/// A return that the platform has: of which invoice, the how manieth there, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The invoice of the return.
    pub(crate) invoice: String,
    /// Which of that invoice's returns, from 1.
    pub(crate) nth: u32,
    /// The order that it was matched with.
    pub(crate) order: String,
    /// Line numbers with the units that come back.
    pub(crate) lines: Vec<(u32, u32)>,
}

/// What earlier runs left on the platform.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct History {
    /// Delivered orders that are in none of the files, the earliest first.
    pub(crate) shelves: Vec<Shelf>,
    /// Returns that were asked for, of these orders and of those in the files.
    pub(crate) standing: Vec<Standing>,
}

impl Shelf {
    /// The shelf of an order of the plan, as it was delivered.
    fn of(plan: &Plan, order: &Order) -> Option<Self> {
        let lines = (1..).zip(&order.lines).map(|(number, line)| ShelfLine {
            number,
            sku: Some(line.sku),
            pence: line.pence,
            left: line.quantity,
        });
        Some(Self {
            order: plan.names.text(order.invoice).to_owned(),
            customer: order.customer?,
            time: order.time,
            lines: lines.collect(),
        })
    }

    /// Takes the whole quantity from the lines, the first lines first, or nothing.
    fn take(&mut self, row: &Return) -> Option<Vec<(u32, u32)>> {
        let mut missing = row.quantity;
        let mut taken = Vec::new();
        for line in &self.lines {
            if (line.sku, line.pence) == (Some(row.sku), row.pence) && missing > 0 && line.left > 0
            {
                let units = missing.min(line.left);
                missing -= units;
                taken.push((line.number, units));
            }
        }
        if missing > 0 {
            return None;
        }
        self.take_off(&taken);
        Some(taken)
    }

    fn take_off(&mut self, lines: &[(u32, u32)]) {
        for (number, units) in lines {
            if let Some(line) = self.lines.iter_mut().find(|line| line.number == *number) {
                line.left = line.left.saturating_sub(*units);
            }
        }
    }
}

/// Matches the plan's returns, in file order, with the orders that were delivered, by this run or before.
pub(crate) fn match_returns(
    plan: &Plan,
    delivered: impl Fn(usize) -> bool,
    history: History,
) -> Matching {
    let History { mut shelves, standing } = history;
    let planned = plan.orders.iter().enumerate().filter(|(index, _)| delivered(*index));
    shelves.extend(planned.filter_map(|(_, order)| Shelf::of(plan, order)));
    let mut shelves = Shelves::new(shelves);
    for known in &standing {
        shelves.take_off(known);
    }
    let standing: HashMap<(&str, u32), &Standing> =
        standing.iter().map(|known| ((known.invoice.as_str(), known.nth), known)).collect();
    let mut matching = Matching::default();
    for (returned, row) in plan.returns.iter().enumerate() {
        let known = standing.get(&(plan.names.text(row.invoice), row.nth));
        let found = match known {
            Some(known) => Some((known.order.clone(), known.lines.clone())),
            None => shelves.take(row),
        };
        match found {
            Some((order, lines)) => matching.matched.push(Matched { returned, order, lines }),
            None => matching.unmatched.push(returned),
        }
    }
    matching
}

/// What of each customer's orders can still come back.
struct Shelves {
    orders: Vec<Shelf>,
    /// Per customer the orders, the latest first; of two at one time the later in the files.
    latest_first: HashMap<Name, Vec<usize>>,
    by_order: HashMap<String, usize>,
}

impl Shelves {
    fn new(orders: Vec<Shelf>) -> Self {
        let mut latest_first: HashMap<Name, Vec<usize>> = HashMap::new();
        for (index, shelf) in orders.iter().enumerate() {
            latest_first.entry(shelf.customer).or_default().push(index);
        }
        for list in latest_first.values_mut() {
            list.sort_by_key(|index| Reverse((orders[*index].time, *index)));
        }
        let by_order = (0..).zip(&orders).map(|(index, shelf)| (shelf.order.clone(), index));
        Self { latest_first, by_order: by_order.collect(), orders }
    }

    fn take_off(&mut self, standing: &Standing) {
        if let Some(index) = self.by_order.get(&standing.order) {
            self.orders[*index].take_off(&standing.lines);
        }
    }

    fn take(&mut self, row: &Return) -> Option<(String, Vec<(u32, u32)>)> {
        for index in self.latest_first.get(&row.customer?)? {
            let found = &mut self.orders[*index];
            if found.time < row.time
                && let Some(lines) = found.take(row)
            {
                return Some((found.order.clone(), lines));
            }
        }
        None
    }
}

//! Which order a return belongs to. Pure.
//!
//! **Invariant:** a return is matched whole with one order of its customer, strictly earlier and delivered, and the
//! matched units of a line never exceed its quantity.

use std::collections::HashMap;

use super::names::Name;
use super::plan::{Order, Plan, Return};

/// A return and the order that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched {
    /// Index into the plan's returns.
    pub(crate) returned: usize,
    /// Index into the plan's orders.
    pub(crate) order: usize,
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

/// Matches the plan's returns, in file order, with the orders that were delivered.
pub(crate) fn match_returns(plan: &Plan, delivered: impl Fn(usize) -> bool) -> Matching {
    let mut shelves = Shelves::new(&plan.orders, delivered);
    let mut matching = Matching::default();
    for (returned, row) in plan.returns.iter().enumerate() {
        match shelves.take(row) {
            Some((order, lines)) => matching.matched.push(Matched { returned, order, lines }),
            None => matching.unmatched.push(returned),
        }
    }
    matching
}

/// What of each customer's orders can still come back.
struct Shelves<'a> {
    orders: &'a [Order],
    /// Per customer the delivered orders, the latest first.
    latest_first: HashMap<Name, Vec<usize>>,
    /// Per order, once asked for, the units left per line.
    left: HashMap<usize, Vec<u32>>,
}

impl<'a> Shelves<'a> {
    fn new(orders: &'a [Order], delivered: impl Fn(usize) -> bool) -> Self {
        let mut latest_first: HashMap<Name, Vec<usize>> = HashMap::new();
        for (index, order) in orders.iter().enumerate() {
            if let Some(customer) = order.customer.filter(|_| delivered(index)) {
                latest_first.entry(customer).or_default().push(index);
            }
        }
        for list in latest_first.values_mut() {
            list.sort_by_key(|index| std::cmp::Reverse((orders[*index].time, *index)));
        }
        Self { orders, latest_first, left: HashMap::new() }
    }

    fn take(&mut self, row: &Return) -> Option<(usize, Vec<(u32, u32)>)> {
        for index in self.latest_first.get(&row.customer?)? {
            let order = &self.orders[*index];
            if order.time >= row.time {
                continue;
            }
            let left = self
                .left
                .entry(*index)
                .or_insert_with(|| order.lines.iter().map(|line| line.quantity).collect());
            if let Some(lines) = take_from(order, left, row) {
                return Some((*index, lines));
            }
        }
        None
    }
}

/// Takes the whole quantity from the order's lines, the first lines first, or nothing.
fn take_from(order: &Order, left: &mut [u32], row: &Return) -> Option<Vec<(u32, u32)>> {
    let mut missing = row.quantity;
    let mut taken = Vec::new();
    for ((number, line), left) in (1..).zip(&order.lines).zip(left.iter()) {
        if (line.sku, line.pence) == (row.sku, row.pence) && missing > 0 && *left > 0 {
            let units = missing.min(*left);
            missing -= units;
            taken.push((number, units));
        }
    }
    if missing > 0 {
        return None;
    }
    for (number, units) in &taken {
        left[*number as usize - 1] -= units;
    }
    Some(taken)
}

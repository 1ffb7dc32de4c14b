//! The lines of an order, as counts: compact, because a log has millions of them.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use domain::orders::{LineNumber, LineQuantity, PlacedLine};
use domain::text::Quantity;

use crate::names::{NameId, Names};

/// One line.
#[derive(Debug)]
struct Line {
    number: LineNumber,
    sku: NameId,
    stocked: bool,
    unit_price: i64,
    ordered: u32,
    cancelled: u32,
    shipped: u32,
    delivered: u32,
    return_requested: u32,
    returned: u32,
}

/// What happens to units of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Cancelled,
    Shipped,
    Delivered,
    ReturnRequested,
    Returned,
}

/// The lines of an order.
#[derive(Debug, Default)]
pub(crate) struct Lines(Box<[Line]>);

impl Lines {
    pub(crate) fn placed(lines: &[PlacedLine], skus: &mut Names) -> Self {
        let mut compact = |line: &PlacedLine| Line {
            number: line.line,
            sku: skus.id(line.sku.as_str()),
            stocked: line.stocked,
            unit_price: line.unit_price,
            ordered: line.quantity.get(),
            cancelled: 0,
            shipped: 0,
            delivered: 0,
            return_requested: 0,
            returned: 0,
        };
        Self(lines.iter().map(&mut compact).collect())
    }

    /// Σ quantity × unit price of all lines.
    pub(crate) fn total(&self) -> i64 {
        self.0.iter().map(|line| i64::from(line.ordered).saturating_mul(line.unit_price)).sum()
    }

    /// Σ quantity × unit price of these; a line that the order has not counts nothing.
    pub(crate) fn amount(&self, of: impl Iterator<Item = (LineNumber, Quantity)>) -> i64 {
        of.map(|(number, quantity)| {
            let price = self.find(number).map_or(0, |line| self.0[line].unit_price);
            i64::from(quantity.get()).saturating_mul(price)
        })
        .fold(0, i64::saturating_add)
    }

    /// What a reservation has to hold: stocked units per SKU.
    pub(crate) fn stocked(&self) -> BTreeMap<NameId, u64> {
        self.per_sku(|line| line.ordered)
    }

    /// What has left the house by the order's own count: stocked units per SKU.
    pub(crate) fn shipped_stock(&self) -> BTreeMap<NameId, u64> {
        self.per_sku(|line| line.shipped)
    }

    /// True when any of these lines is kept in stock.
    pub(crate) fn any_stocked(&self, lines: &[LineQuantity]) -> bool {
        let stocked =
            |line: &LineQuantity| self.find(line.line).is_some_and(|index| self.0[index].stocked);
        lines.iter().any(stocked)
    }

    /// True when every unit was cancelled.
    pub(crate) fn all_cancelled(&self) -> bool {
        self.0.iter().all(|line| line.cancelled == line.ordered)
    }

    /// True when every unit was delivered or cancelled.
    pub(crate) fn all_settled(&self) -> bool {
        self.0.iter().all(|line| {
            u64::from(line.cancelled) + u64::from(line.delivered) == u64::from(line.ordered)
        })
    }

    /// Counts a step; says for each line that law 1 does not allow what is wrong with it.
    pub(crate) fn step(&mut self, step: Step, lines: &[LineQuantity]) -> Vec<String> {
        let mut wrong = Vec::new();
        for LineQuantity { line: number, quantity } in lines {
            let Some(index) = self.find(*number) else {
                wrong.push(format!("line {number} does not exist"));
                continue;
            };
            let line = &mut self.0[index];
            line.count(step, quantity.get());
            wrong.extend(line.broken());
        }
        wrong
    }

    fn find(&self, number: LineNumber) -> Option<usize> {
        // Most orders' lines are numbered 1..n, so that the first guess is right; those of a cart may have gaps.
        let guess = (number as usize).wrapping_sub(1);
        match self.0.get(guess) {
            Some(line) if line.number == number => Some(guess),
            Some(_) | None => self.0.iter().position(|line| line.number == number),
        }
    }

    fn per_sku(&self, count: impl Fn(&Line) -> u32) -> BTreeMap<NameId, u64> {
        let mut sums = BTreeMap::new();
        for line in self.0.iter().filter(|line| line.stocked && count(line) > 0) {
            *sums.entry(line.sku).or_default() += u64::from(count(line));
        }
        sums
    }
}

impl Line {
    fn count(&mut self, step: Step, units: u32) {
        let count = match step {
            Step::Cancelled => &mut self.cancelled,
            Step::Shipped => &mut self.shipped,
            Step::Delivered => &mut self.delivered,
            Step::ReturnRequested => &mut self.return_requested,
            Step::Returned => &mut self.returned,
        };
        *count = count.saturating_add(units);
    }

    fn broken(&self) -> Option<String> {
        let Self {
            number, ordered, cancelled, shipped, delivered, return_requested, returned, ..
        } = self;
        let holds = u64::from(*ordered) >= u64::from(*cancelled) + u64::from(*shipped)
            && shipped >= delivered
            && delivered >= return_requested
            && return_requested >= returned;
        (!holds).then(|| {
            format!(
                "line {number} has ordered {ordered}, cancelled {cancelled}, shipped {shipped}, delivered {delivered}, \
                 to be returned {return_requested}, returned {returned}"
            )
        })
    }
}

/// The pairs of an event, in one number: whether two events are about the same units.
pub(crate) fn fingerprint(pairs: impl Iterator<Item = (LineNumber, Quantity)>) -> u64 {
    let mut sums: BTreeMap<LineNumber, u64> = BTreeMap::new();
    for (line, quantity) in pairs {
        *sums.entry(line).or_default() += u64::from(quantity.get());
    }
    let mut hasher = DefaultHasher::new();
    sums.hash(&mut hasher);
    hasher.finish()
}

/// The pairs of an order's event.
pub(crate) fn pairs(lines: &[LineQuantity]) -> impl Iterator<Item = (LineNumber, Quantity)> + '_ {
    lines.iter().map(|line| (line.line, line.quantity))
}

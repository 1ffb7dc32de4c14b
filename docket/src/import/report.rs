//! What became of every row: a table for people, JSON for programs. Money in pence.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::matching::Matching;
use super::order_way::Outcome;
use super::plan::{Line, Plan, Return};

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    /// How many rows are of each class.
    pub(crate) rows: Rows,
    /// Corrections that the platform refused: not stocked, or not enough there.
    pub(crate) refused_corrections: u64,
    /// Orders in the files.
    pub(crate) orders: u64,
    /// The sale lines' sum.
    pub(crate) sales: i64,
    /// The matched returns' sum.
    pub(crate) returns: i64,
    /// The unmatched returns' sum.
    pub(crate) unmatched_returns: i64,
    /// Matched returns that the platform refused.
    pub(crate) refused_returns: u64,
    /// Return sagas that need a person.
    pub(crate) returns_in_attention: u64,
    /// How many orders ended how.
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// Why orders were not completed: outcome, then reason, then how many.
    pub(crate) outcomes_by_reason: BTreeMap<String, BTreeMap<String, u64>>,
    /// How long it took.
    pub(crate) seconds: f64,
}

/// The rows' classes, which add up to the rows read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Rows {
    /// Order lines with a price.
    pub(crate) sale: u64,
    /// Order lines at price 0.
    pub(crate) free: u64,
    /// Stock corrections, refused ones too.
    pub(crate) correction: u64,
    /// Returns that were matched with an order.
    #[serde(rename = "return")]
    pub(crate) returned: u64,
    /// Returns that no order was found for.
    pub(crate) unmatched_return: u64,
    /// Bad debt.
    pub(crate) not_an_order: u64,
}

impl Report {
    /// The report of a plan whose orders ended and whose returns were matched.
    pub(crate) fn new(plan: &Plan, matching: &Matching, outcomes: &[Outcome]) -> Self {
        let of = |index: usize| plan.returns.get(index);
        let matched: Vec<&Return> =
            matching.matched.iter().filter_map(|matched| of(matched.returned)).collect();
        let unmatched: Vec<&Return> =
            matching.unmatched.iter().filter_map(|index| of(*index)).collect();
        let mut report = Self {
            rows: Rows {
                sale: plan.rows.sale,
                free: plan.rows.free,
                correction: plan.rows.correction,
                returned: rows_of(&matched),
                unmatched_return: rows_of(&unmatched),
                not_an_order: plan.rows.not_an_order,
            },
            refused_corrections: 0,
            orders: plan.orders.len() as u64,
            sales: plan.orders.iter().flat_map(|order| &order.lines).map(Line::amount).sum(),
            returns: matched.iter().map(|row| row.amount()).sum(),
            unmatched_returns: unmatched.iter().map(|row| row.amount()).sum(),
            refused_returns: 0,
            returns_in_attention: 0,
            outcomes: BTreeMap::from([("completed".to_owned(), 0), ("rejected".to_owned(), 0)]),
            outcomes_by_reason: BTreeMap::new(),
            seconds: 0.0,
        };
        for outcome in outcomes {
            *report.outcomes.entry(outcome.status.clone()).or_default() += 1;
            if let Some(reason) = &outcome.reason {
                let reasons = report.outcomes_by_reason.entry(outcome.status.clone()).or_default();
                *reasons.entry(reason.clone()).or_default() += 1;
            }
        }
        report
    }

    /// The same report with the time it took, to the millisecond.
    pub(crate) fn took(self, time: Duration) -> Self {
        Self { seconds: (time.as_secs_f64() * 1000.0).round() / 1000.0, ..self }
    }

    /// One JSON object.
    pub(crate) fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// A table for people.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        let rows = &self.rows;
        for (label, count, amount) in [
            ("rows: sale", rows.sale, Some(self.sales)),
            ("rows: free", rows.free, None),
            ("rows: correction", rows.correction, None),
            ("rows: return", rows.returned, Some(self.returns)),
            ("rows: unmatched return", rows.unmatched_return, Some(self.unmatched_returns)),
            ("rows: not an order", rows.not_an_order, None),
            ("refused corrections", self.refused_corrections, None),
            ("refused returns", self.refused_returns, None),
            ("returns that need attention", self.returns_in_attention, None),
            ("orders", self.orders, None),
        ] {
            table.add_row([
                label.to_owned(),
                thousands(count),
                amount.map_or_else(String::new, pounds),
            ]);
        }
        for (status, count) in &self.outcomes {
            table.add_row([format!("  {status}"), thousands(*count), String::new()]);
            for (reason, count) in self.outcomes_by_reason.get(status).into_iter().flatten() {
                table.add_row([format!("    {reason}"), thousands(*count), String::new()]);
            }
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("{table}\n{:.1} s", self.seconds)
    }
}

fn rows_of(returns: &[&Return]) -> u64 {
    returns.iter().map(|row| u64::from(row.rows)).sum()
}

fn pounds(pence: i64) -> String {
    let (sign, pence) = (if pence < 0 { "-" } else { "" }, pence.unsigned_abs());
    format!("{sign}{}.{:02} GBP", thousands(pence / 100), pence % 100)
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_for_people() {
        assert_eq!(pounds(275_638_195), "2,756,381.95 GBP");
        assert_eq!([pounds(5), pounds(-100_000)], ["0.05 GBP", "-1,000.00 GBP"]);
    }
}

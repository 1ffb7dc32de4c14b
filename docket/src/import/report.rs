//! What became of every row: a table for people, JSON for programs. Money in pence.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::matching::Matching;
use super::opening::Missing;
use super::order_way::{Corrected, Outcome};
use super::plan::{Correction, Order, Plan, Return};
use super::return_way::Returned;
use super::rows::Place;
use crate::numbers::grouped;

/// Refusals that the report lists.
const MOST_REFUSALS: usize = 100;
/// Refusals that a person is told.
const NAMED: usize = 5;
/// What the amounts are, so that they can be compared with the platform's own.
const SALES: &str = "Rows are counted as the files have them, whatever became of their orders.\n\
    `GET /v1/reports/sales` counts confirmed orders only: of these files the completed ones.";

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    /// How many rows are of each class.
    pub(crate) rows: Rows,
    /// Corrections that were not possible: not stocked, or not enough there.
    pub(crate) refused_corrections: u64,
    /// Orders in the files.
    pub(crate) orders: u64,
    /// The sale lines' sum, whatever became of their orders.
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
    /// The lines' sum of the orders that ended so. That of `completed` is what the sales report counts of these files.
    pub(crate) outcome_amounts: BTreeMap<String, i64>,
    /// How many opening stocks, orders, returns and corrections the platform did not take.
    pub(crate) refused: u64,
    /// The first of them.
    pub(crate) refusals: Vec<Refused>,
    /// How long it took.
    pub(crate) seconds: f64,
}

/// Something of the files that the platform did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Refused {
    /// The path of the file.
    pub(crate) file: String,
    /// The line of its first row.
    pub(crate) line: u32,
    /// `opening stock`, `order`, `return` or `correction`.
    pub(crate) what: &'static str,
    /// The invoice; of opening stock the stock code.
    pub(crate) order: String,
    /// Why, in the platform's word.
    pub(crate) code: String,
}

/// What the platform made of a plan.
#[derive(Debug)]
pub(crate) struct Results {
    /// The opening stock that is missing.
    pub(crate) missing: Vec<Missing>,
    /// Every order's, in file order.
    pub(crate) outcomes: Vec<Outcome>,
    /// Every correction's.
    pub(crate) corrected: Vec<(Correction, Corrected)>,
    /// Every returned order's.
    pub(crate) returned: Vec<Returned>,
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
    /// The report of a plan that was carried out.
    pub(crate) fn new(plan: &Plan, matching: &Matching, results: &Results) -> Self {
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
            refused_corrections: count(&results.corrected, |(_, how)| {
                *how == Corrected::NotPossible
            }),
            orders: plan.orders.len() as u64,
            sales: plan.orders.iter().map(Order::amount).sum(),
            returns: matched.iter().map(|row| row.amount()).sum(),
            unmatched_returns: unmatched.iter().map(|row| row.amount()).sum(),
            refused_returns: results.returned.iter().map(|order| order.refused.len() as u64).sum(),
            returns_in_attention: results.returned.iter().map(|order| order.needs_attention).sum(),
            outcomes: BTreeMap::from([("completed".to_owned(), 0), ("rejected".to_owned(), 0)]),
            outcomes_by_reason: BTreeMap::new(),
            outcome_amounts: BTreeMap::from([
                ("completed".to_owned(), 0),
                ("rejected".to_owned(), 0),
            ]),
            refused: 0,
            refusals: Vec::new(),
            seconds: 0.0,
        };
        for (order, outcome) in plan.orders.iter().zip(&results.outcomes) {
            *report.outcomes.entry(outcome.status.clone()).or_default() += 1;
            *report.outcome_amounts.entry(outcome.status.clone()).or_default() += order.amount();
            if let Some(reason) = &outcome.reason {
                let reasons = report.outcomes_by_reason.entry(outcome.status.clone()).or_default();
                *reasons.entry(reason.clone()).or_default() += 1;
            }
        }
        let mut refused = refusals(plan, results);
        report.refused = refused.len() as u64;
        refused.truncate(MOST_REFUSALS);
        report.refusals = refused;
        report
    }

    /// What a person has to look at; none when the platform took everything.
    pub(crate) fn refused_in_words(&self) -> Option<String> {
        if self.refused == 0 {
            return None;
        }
        let were = if self.refused == 1 { "was" } else { "were" };
        let refused = grouped(self.refused);
        let mut lines = vec![format!(
            "{refused} of the files' opening stocks, orders, returns and corrections {were} refused; all else was done:"
        )];
        let named = self.refusals.iter().take(NAMED);
        lines.extend(named.map(|Refused { file, line, what, order, code }| {
            format!("  {file}:{line}: {what} {order}: {code}{}", meaning(code))
        }));
        let left = self.refused.saturating_sub(lines.len() as u64 - 1);
        if left > 0 {
            lines.push(format!("  and {} more", grouped(left)));
        }
        Some(lines.join("\n"))
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
            ("rows: sale (all orders)", rows.sale, Some(self.sales)),
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
                grouped(count),
                amount.map_or_else(String::new, pounds),
            ]);
        }
        for (status, count) in &self.outcomes {
            let amount = self.outcome_amounts.get(status).copied().unwrap_or_default();
            table.add_row([format!("  {status}"), grouped(*count), pounds(amount)]);
            for (reason, count) in self.outcomes_by_reason.get(status).into_iter().flatten() {
                table.add_row([format!("    {reason}"), grouped(*count), String::new()]);
            }
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("{table}\n{SALES}\n{:.1} s", self.seconds)
    }
}

/// The refusals, in file order.
fn refusals(plan: &Plan, results: &Results) -> Vec<Refused> {
    let refused = |place: Place, what, name, code: &str| {
        let order = plan.names.text(name).to_owned();
        let file = plan.path(place).to_owned();
        (place.file, Refused { file, line: place.line, what, order, code: code.to_owned() })
    };
    let missing = results
        .missing
        .iter()
        .map(|Missing { sku, place, code }| refused(*place, "opening stock", *sku, code));
    let orders = plan.orders.iter().zip(&results.outcomes).filter(|(_, end)| end.is_refused());
    let orders = orders.map(|(order, end)| {
        refused(order.place, "order", order.invoice, end.reason.as_deref().unwrap_or_default())
    });
    let corrections = results.corrected.iter().filter_map(|(correction, how)| match how {
        Corrected::Refused(code) => {
            Some(refused(correction.place, "correction", correction.invoice, code))
        }
        Corrected::Applied | Corrected::NotPossible => None,
    });
    let returns = results.returned.iter().flat_map(|returned| &returned.refused);
    let returns = returns.filter_map(|(index, code)| {
        let row = plan.returns.get(*index)?;
        Some(refused(row.place, "return", row.invoice, code))
    });
    let mut all: Vec<(u16, Refused)> =
        missing.chain(orders).chain(corrections).chain(returns).collect();
    all.sort_by_key(|(file, refused)| (*file, refused.line));
    all.into_iter().map(|(_, refused)| refused).collect()
}

/// What a code means for the files, where it says more than the platform knows.
fn meaning(code: &str) -> &'static str {
    if code == "idempotency_key_reused" {
        " (it was imported before from a file that said otherwise, and stays as it was)"
    } else {
        ""
    }
}

fn count<T>(all: &[T], is: impl Fn(&T) -> bool) -> u64 {
    all.iter().filter(|one| is(one)).count() as u64
}

fn rows_of(returns: &[&Return]) -> u64 {
    returns.iter().map(|row| u64::from(row.rows)).sum()
}

fn pounds(pence: i64) -> String {
    let (sign, pence) = (if pence < 0 { "-" } else { "" }, pence.unsigned_abs());
    format!("{sign}{}.{:02} GBP", grouped(pence / 100), pence % 100)
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

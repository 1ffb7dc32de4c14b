//! I7: what the provider really did against what the log says, operation by operation.
//!
//! The rows are the provider's own. An operation is named by its key, `{payment}/{operation}/{attempt}`: the log has
//! the intent before the provider is called, and the outcome after it.

use std::collections::HashMap;

use domain::money::Currency;
use domain::payments::Operation;

use crate::finding::{Finding, Report, Rule};
use crate::money::{Asked, Money, Outcome};

/// What became of a call at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerStatus {
    /// It was done: money moved, or is held.
    Done,
    /// It was refused, or never came to be.
    NotDone,
}

/// A row of the provider's own ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The payment.
    pub payment_id: String,
    /// What was asked.
    pub operation: Operation,
    /// How much, in minor units.
    pub amount: i64,
    /// Of which currency.
    pub currency: Currency,
    /// What became of it.
    pub status: LedgerStatus,
    /// The idempotency key of the call.
    pub key: String,
}

impl LedgerRow {
    fn is_done(&self) -> bool {
        self.status == LedgerStatus::Done
    }

    /// The attempt, which is the last part of the key.
    fn attempt(&self) -> Option<u32> {
        self.key.rsplit('/').next()?.parse().ok()
    }

    fn described(&self) -> String {
        let (operation, amount) = (self.operation.name(), self.amount);
        format!("{operation} {amount} {} under key `{}`", self.currency, self.key)
    }
}

/// Whatever the provider did, the log asked it for, once, and does not call a failure.
pub(crate) fn nothing_unasked(rows: &[LedgerRow], money: &Money, report: &mut Report) {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for row in rows.iter().filter(|row| row.is_done()) {
        let times = seen.entry(&row.key).or_default();
        *times += 1;
        if *times == 2 {
            let statement = format!("The provider did twice: {}.", row.described());
            report.add(of_payment(&row.payment_id, statement));
        }
        check_asked(row, money, report);
    }
}

fn check_asked(row: &LedgerRow, money: &Money, report: &mut Report) {
    let asked =
        row.attempt().and_then(|attempt| money.asked(&row.payment_id, row.operation, attempt));
    let Some((asked, currency)) = asked else {
        let statement =
            format!("The provider did what the log never asked for: {}.", row.described());
        return report.add(of_payment(&row.payment_id, statement));
    };
    if asked.amount != row.amount || currency != Some(row.currency) {
        let found = currency.map_or_else(|| "?".to_owned(), |currency| currency.to_string());
        report.at(
            Rule::Charges,
            &[asked.at],
            format!(
                "The provider did {}, the log asked for {} {found}.",
                row.described(),
                asked.amount
            ),
        );
    }
    if asked.outcome == Outcome::Failed {
        report.at(
            Rule::Charges,
            &[asked.at],
            format!("The provider did {}, the log says it failed.", row.described()),
        );
    }
}

/// Whatever the log says was done, the provider did.
pub(crate) fn nothing_missing(rows: &[LedgerRow], money: &Money, report: &mut Report) {
    let done: HashMap<(&str, Operation, Option<u32>), &LedgerRow> = rows
        .iter()
        .filter(|row| row.is_done())
        .map(|row| ((row.payment_id.as_str(), row.operation, row.attempt()), row))
        .collect();
    for (payment_id, asked) in money.all_asked() {
        let Asked { operation, attempt, amount, outcome, at, .. } = asked;
        let known = done.contains_key(&(payment_id, *operation, Some(*attempt)));
        if *outcome == Outcome::Done && !known {
            let name = operation.name();
            report.at(
                Rule::Charges,
                &[*at],
                format!(
                    "The log says that payment `{payment_id}` had {name} {amount} (attempt {attempt}) done; the \
                     provider's ledger does not have it.",
                ),
            );
        }
    }
}

fn of_payment(payment_id: &str, statement: String) -> Finding {
    let look = format!("GET /v1/payments/{payment_id} of the platform");
    Finding::elsewhere(Rule::Charges, statement, look)
}

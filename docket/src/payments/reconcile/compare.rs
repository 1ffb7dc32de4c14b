//! The comparison. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::payments::Payment;
use serde::Serialize;

use super::log::Logged;
use super::period::Period;
use super::record::{Amounts, Recorded};

/// What is wrong with a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The log says the provider did something, and its record has no such payment.
    MissingAtProvider,
    /// The provider did something of which the log does not know.
    MissingInLog,
    /// The amounts are not the same.
    AmountsDiffer,
    /// The log says that nothing is held any more, and the provider holds it.
    StillHeld,
    /// The log says that money is held, and the provider does not hold it.
    NotHeld,
}

impl Kind {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::MissingAtProvider => "is in the log and not in the provider's record",
            Self::MissingInLog => "is in the provider's record and not in the log",
            Self::AmountsDiffer => "has other amounts in the provider's record",
            Self::StillHeld => "is held by the provider, and not by the log",
            Self::NotHeld => "is held by the log, and not by the provider",
        }
    }
}

/// A payment on which the two do not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    pub(super) kind: Kind,
    pub(super) payment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    /// What the log says.
    pub(super) log: Option<Amounts>,
    /// What the provider says.
    pub(super) provider: Option<Amounts>,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) differences: Vec<Difference>,
    /// How many payments were judged.
    pub(super) judged: usize,
    /// Not judged: the provider has not answered for good, or something happened while the two were read.
    pub(super) under_way: Vec<String>,
    /// Payments at the provider that are not Docket's.
    pub(super) of_others: usize,
}

/// Compares payments of the period. The record was read before the log, from `read_from` on.
pub(super) fn compare(
    logged: &BTreeMap<String, Logged>,
    recorded: &[Recorded],
    period: Period,
    read_from: DateTime<Utc>,
) -> Compared {
    let mut came = Compared::default();
    let mut seen = BTreeSet::new();
    for record in recorded {
        let Some(id) = &record.payment_id else {
            came.of_others += usize::from(period.has(record.created));
            continue;
        };
        let known = logged.get(id);
        let is_of_period = known.map_or(record.created, |known| known.begun);
        if !seen.insert(id.as_str()) || !period.has(is_of_period) {
            continue;
        }
        match known {
            Some(known) if is_under_way(known, read_from) => came.under_way.push(id.clone()),
            Some(known) => {
                came.judged += 1;
                came.differences.extend(difference(id, &known.payment, record));
            }
            // It holds nothing and took nothing: an attempt that came to nothing, such as a declined card.
            None if record.amounts.authorized == 0 => {}
            None => came.differences.push(Difference {
                kind: Kind::MissingInLog,
                payment_id: Some(id.clone()),
                reference: record.reference.clone(),
                log: None,
                provider: Some(record.amounts),
            }),
        }
    }
    for (id, known) in logged {
        if seen.contains(id.as_str()) || !period.has(known.begun) {
            continue;
        }
        let Some(amounts) = amounts(&known.payment) else { continue };
        if is_under_way(known, read_from) {
            came.under_way.push(id.clone());
        } else {
            came.judged += 1;
            // What was declined or given up before it was asked for need not be there.
            came.differences.extend((amounts.authorized > 0).then(|| Difference {
                kind: Kind::MissingAtProvider,
                payment_id: Some(id.clone()),
                reference: known.payment.reference().map(ToString::to_string),
                log: Some(amounts),
                provider: None,
            }));
        }
    }
    came.differences.sort_by(|a, b| a.payment_id.cmp(&b.payment_id));
    came
}

fn is_under_way(known: &Logged, read_from: DateTime<Utc>) -> bool {
    known.payment.has_open_operation() || known.changed >= read_from
}

/// Amounts of a payment by the log; none of one that was given up before anything was asked for.
fn amounts(payment: &Payment) -> Option<Amounts> {
    Some(Amounts {
        currency: payment.requested()?.currency(),
        authorized: payment.authorized(),
        captured: payment.captured(),
        refunded: payment.refunded(),
    })
}

fn difference(id: &str, payment: &Payment, record: &Recorded) -> Option<Difference> {
    let log = amounts(payment);
    let kind = match log {
        None if record.amounts.authorized == 0 => return None,
        None => Kind::MissingInLog,
        Some(log) if log != record.amounts => Kind::AmountsDiffer,
        Some(_) => {
            // Where a provider captures once, the capture has released what it did not take.
            let held = payment.uncaptured() > 0 && !payment.is_spent();
            match (held, record.holds) {
                (false, true) => Kind::StillHeld,
                (true, false) => Kind::NotHeld,
                (false, false) | (true, true) => return None,
            }
        }
    };
    Some(Difference {
        kind,
        payment_id: Some(id.to_owned()),
        reference: record.reference.clone(),
        log,
        provider: Some(record.amounts),
    })
}

#[cfg(test)]
mod tests;

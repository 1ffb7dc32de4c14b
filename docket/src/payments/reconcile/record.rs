//! Payments by the provider's own record.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use command_service::payments::simulator::{EntryStatus, LedgerEntry};
use command_service::payments::stripe::{StripePayment, StripeProvider};
use domain::money::{Currency, Money};
use serde::Serialize;

use super::period::Period;
use crate::connect::ConnectArgs;
use crate::verify::ledger;

/// By how much the provider's clock may differ from ours, and how long a payment may take to reach it: so much earlier and
/// later its record is read.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// What the provider has of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Our name of it; `None` when it is not one of ours.
    pub(super) payment_id: Option<String>,
    /// The provider's name of it, if it has one.
    pub(super) reference: Option<String>,
    pub(super) created: DateTime<Utc>,
    pub(super) amounts: Amounts,
    /// Whether it holds money that was neither taken nor given back.
    pub(super) holds: bool,
}

/// Amounts in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Amounts {
    pub(super) currency: Currency,
    pub(super) authorized: i64,
    pub(super) captured: i64,
    pub(super) refunded: i64,
}

/// Whose record is read.
pub(super) enum Record<'r> {
    /// The simulator's ledger in this file.
    File(&'r Path),
    /// The simulator's ledger at this address.
    Server(&'r str, &'r ConnectArgs),
    /// Stripe's.
    Stripe(StripeProvider),
}

impl Record<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::File(_) | Self::Server(..) => "simulator",
            Self::Stripe(_) => "stripe",
        }
    }

    /// What it has of the period and a little around it.
    pub(super) async fn read(&self, period: Period) -> Result<Vec<Recorded>> {
        match self {
            Self::File(path) => {
                let entries = ledger::entries_in(path).await?;
                let entries = entries.ok_or_else(|| {
                    anyhow!("there is no provider's ledger at {}", path.display())
                })?;
                summed(&entries)
            }
            Self::Server(url, connect) => summed(&ledger::entries_at(url, connect).await?),
            Self::Stripe(stripe) => {
                let (from, to) = (period.from - MARGIN, period.to + MARGIN);
                let payments = stripe.payments(from, to).await;
                let payments = payments.context("the provider's record can't be read")?;
                Ok(payments.into_iter().map(Recorded::from).collect())
            }
        }
    }
}

impl From<StripePayment> for Recorded {
    fn from(payment: StripePayment) -> Self {
        Self {
            payment_id: payment.payment_id,
            reference: Some(payment.reference),
            created: payment.created,
            amounts: Amounts {
                currency: payment.authorized.currency(),
                authorized: payment.authorized.minor(),
                captured: payment.captured.minor(),
                refunded: payment.refunded.minor(),
            },
            holds: payment.holds,
        }
    }
}

/// The simulator's ledger, payment by payment.
fn summed(entries: &[LedgerEntry]) -> Result<Vec<Recorded>> {
    let mut found: BTreeMap<&str, (Recorded, i64)> = BTreeMap::new();
    for entry in entries {
        let currency = Currency::parse(&entry.currency)?;
        let (recorded, held) = found.entry(&entry.payment_id).or_insert_with(|| {
            let none = Money::zero(currency);
            let amounts =
                Amounts { currency: none.currency(), authorized: 0, captured: 0, refunded: 0 };
            let recorded = Recorded {
                payment_id: Some(entry.payment_id.clone()),
                reference: None,
                created: entry.at,
                amounts,
                holds: false,
            };
            (recorded, 0)
        });
        if entry.status != EntryStatus::Done {
            continue;
        }
        let (amounts, amount) = (&mut recorded.amounts, entry.amount);
        match entry.operation.as_str() {
            "authorize" => {
                (amounts.authorized, *held) = (amounts.authorized + amount, *held + amount);
            }
            "capture" => (amounts.captured, *held) = (amounts.captured + amount, *held - amount),
            "refund" => amounts.refunded += amount,
            _ => *held -= amount,
        }
    }
    Ok(found
        .into_values()
        .map(|(recorded, held)| Recorded { holds: held > 0, ..recorded })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(operation: &str, amount: i64, status: EntryStatus) -> LedgerEntry {
        LedgerEntry {
            number: 0,
            key: String::new(),
            payment_id: "o-p1".to_owned(),
            operation: operation.to_owned(),
            amount,
            currency: "GBP".to_owned(),
            status,
            code: None,
            retriable: false,
            method: None,
            expires_at: None,
            at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_simulator_s_ledger_is_summed_by_payment_and_only_what_was_done_counts() {
        let done = |operation, amount| entry(operation, amount, EntryStatus::Done);
        let mut entries = vec![done("authorize", 1_000), done("capture", 600), done("void", 300)];
        entries.push(entry("capture", 100, EntryStatus::Refused));
        entries.push(done("refund", 50));
        let [recorded] = &summed(&entries).unwrap()[..] else { panic!("one payment") };
        let Amounts { authorized, captured, refunded, .. } = recorded.amounts;
        assert_eq!((authorized, captured, refunded, recorded.holds), (1_000, 600, 50, true));
        entries.push(done("void", 100));
        assert!(!summed(&entries).unwrap()[0].holds);
    }
}

//! The report, for people and for machines.

use std::fmt::Write as _;

use serde::Serialize;

use super::compare::{Compared, Difference};
use super::period::Period;
use super::record::Amounts;
use crate::numbers::{counted, grouped};

/// What a reconciliation came to.
#[derive(Debug, Serialize)]
pub(super) struct Reconciled {
    clean: bool,
    provider: &'static str,
    period: Period,
    compared: usize,
    differences: Vec<Difference>,
    under_way: Vec<String>,
    of_others: usize,
}

impl Reconciled {
    pub(super) fn new(provider: &'static str, period: Period, came: Compared) -> Self {
        let Compared { differences, judged, under_way, of_others } = came;
        let clean = differences.is_empty();
        Self { clean, provider, period, compared: judged, differences, under_way, of_others }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.clean
    }

    pub(super) fn as_text(&self) -> String {
        let Period { from, to } = self.period;
        let mut text = format!(
            "Payments that were begun from {from} on and before {to}, beside the record of {}:\n",
            self.provider
        );
        for difference in &self.differences {
            let id = difference.payment_id.as_deref().unwrap_or("?");
            let reference = difference.reference.as_deref();
            let named = reference.map_or_else(String::new, |reference| format!(" ({reference})"));
            // Writing to a string does not fail.
            let _ = writeln!(text, "✗ {id}{named} {}", difference.kind.words());
            for (who, said) in [("log", &difference.log), ("provider", &difference.provider)] {
                if let Some(said) = said {
                    let _ = writeln!(text, "    {who:8} {}", shown(said));
                }
            }
        }
        let _ = writeln!(
            text,
            "{} compared, {}.",
            counted(self.compared as u64, "payment"),
            match self.differences.len() {
                0 => "all agree".to_owned(),
                some => counted(some as u64, "difference"),
            }
        );
        if !self.under_way.is_empty() {
            let _ = writeln!(text, "Not judged, because under way: {}.", self.under_way.join(", "));
        }
        if self.of_others > 0 {
            let of_others = counted(self.of_others as u64, "payment");
            let _ = writeln!(text, "The provider has {of_others} that are not Docket's.");
        }
        text
    }
}

fn shown(amounts: &Amounts) -> String {
    let Amounts { currency, authorized, captured, refunded } = amounts;
    let [authorized, captured, refunded] =
        [authorized, captured, refunded].map(|amount| grouped(*amount));
    format!("held {authorized}, taken {captured}, given back {refunded} {currency}")
}

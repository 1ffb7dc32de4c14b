//! What the simulated provider does: a pure function of what its ledger has of a payment, and of the call.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::money::{Currency, Money};
use domain::payments::{Operation, ProviderOutcome};
use domain::text::Reason;

use super::entry::{EntryStatus, LedgerEntry};
use crate::payments::provider::{ProviderAnswer, ProviderCall, WhenAbsent};

/// How long an authorization holds.
const HOLDS: TimeDelta = TimeDelta::days(7);
/// Captures of `pm_capture_fails_twice` that fail first.
const FAILING_CAPTURES: usize = 2;

/// What the ledger gets of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// This entry is new.
    New(LedgerEntry),
    /// The key has this entry already.
    Before(LedgerEntry),
    /// Nothing: the call is lost on its way.
    Nothing,
}

/// A call, judged on the entries of its payment.
pub(super) fn judge(entries: &[LedgerEntry], call: &ProviderCall, now: DateTime<Utc>) -> Written {
    if let Some(before) = entries.iter().find(|entry| entry.key == call.key) {
        return Written::Before(before.clone());
    }
    let method = method_of(entries, call);
    let is_lost = method == "pm_timeout_then_nothing" && call.operation == Operation::Authorize;
    if is_lost {
        return Written::Nothing;
    }
    let refusal = match call.operation {
        Operation::Authorize => refused_authorization(method),
        Operation::Capture if is_expired(entries, now) => Some(("authorization_expired", false)),
        Operation::Capture => refused_capture(entries, method, call),
        Operation::Void => (call.amount.minor() > held(entries)).then_some(("not_held", false)),
        Operation::Refund if method == "pm_refund_fails" => Some(("refund_failed", false)),
        Operation::Refund => {
            (call.amount.minor() > taken(entries)).then_some(("not_captured", false))
        }
    };
    let status = if refusal.is_some() { EntryStatus::Refused } else { EntryStatus::Done };
    let mut entry = entry(call, status, now);
    if let Some((code, retriable)) = refusal {
        (entry.code, entry.retriable) = (Some(code.to_owned()), retriable);
    } else if call.operation == Operation::Authorize {
        entry.expires_at = Some(now + HOLDS);
    }
    Written::New(entry)
}

/// A probe, answered from the entries of its payment.
pub(super) fn probe(
    entries: &[LedgerEntry],
    call: &ProviderCall,
    when_absent: WhenAbsent,
    now: DateTime<Utc>,
) -> Written {
    match (entries.iter().find(|entry| entry.key == call.key), when_absent) {
        (Some(before), _) => Written::Before(before.clone()),
        (None, WhenAbsent::LeaveOpen) => Written::Nothing,
        (None, WhenAbsent::Close) => Written::New(entry(call, EntryStatus::Closed, now)),
    }
}

/// What the provider answers for an entry, and how much it was about.
pub(super) fn said(entry: &LedgerEntry) -> ProviderAnswer {
    let currency = Currency::parse(&entry.currency).ok();
    let amount = currency.map(|currency| Money::new(entry.amount, currency));
    ProviderAnswer::Said { outcome: outcome(entry), amount }
}

fn outcome(entry: &LedgerEntry) -> ProviderOutcome {
    match (entry.status, entry.expires_at) {
        (EntryStatus::Done, Some(expires_at)) => {
            ProviderOutcome::Authorized { expires_at, multi_capture: true, reference: None }
        }
        (EntryStatus::Done, None) => ProviderOutcome::Done,
        (EntryStatus::Closed, _) => ProviderOutcome::NeverDone,
        (EntryStatus::Refused, _) => {
            let code = entry.code.as_deref().unwrap_or("refused");
            match Reason::parse(code) {
                Ok(code) => ProviderOutcome::Refused { code, retriable: entry.retriable },
                Err(_) => ProviderOutcome::NeverDone,
            }
        }
    }
}

/// How long the provider takes to answer, given the time that its caller waits.
pub(super) fn delay(entries: &[LedgerEntry], call: &ProviderCall, deadline: Duration) -> Duration {
    match (method_of(entries, call), call.operation) {
        ("pm_slow", _) => deadline.mul_f64(0.8),
        ("pm_timeout_then_ok" | "pm_timeout_then_nothing", Operation::Authorize) => deadline * 4,
        _ => Duration::ZERO,
    }
}

fn method_of<'m>(entries: &'m [LedgerEntry], call: &'m ProviderCall) -> &'m str {
    let asked = call.method.as_ref().map(domain::text::PaymentMethod::as_str);
    let known = || entries.iter().find_map(|entry| entry.method.as_deref());
    asked.or_else(known).unwrap_or_default()
}

fn refused_authorization(method: &str) -> Option<(&'static str, bool)> {
    match method {
        "pm_ok"
        | "pm_slow"
        | "pm_timeout_then_ok"
        | "pm_timeout_then_nothing"
        | "pm_capture_fails_twice"
        | "pm_capture_refused"
        | "pm_refund_fails" => None,
        "pm_declined" => Some(("declined", false)),
        "pm_insufficient_funds" => Some(("insufficient_funds", false)),
        _ => Some(("unknown_payment_method", false)),
    }
}

fn refused_capture(
    entries: &[LedgerEntry],
    method: &str,
    call: &ProviderCall,
) -> Option<(&'static str, bool)> {
    let failed = of(entries, Operation::Capture)
        .filter(|entry| entry.status == EntryStatus::Refused)
        .count();
    match method {
        "pm_capture_refused" => Some(("capture_refused", false)),
        "pm_capture_fails_twice" if failed < FAILING_CAPTURES => Some(("capture_failed", true)),
        _ => (call.amount.minor() > held(entries)).then_some(("not_held", false)),
    }
}

/// Whether the time of what was held is over.
fn is_expired(entries: &[LedgerEntry], now: DateTime<Utc>) -> bool {
    entries.iter().filter_map(|entry| entry.expires_at).any(|until| until <= now)
}

fn held(entries: &[LedgerEntry]) -> i64 {
    done(entries, Operation::Authorize)
        - done(entries, Operation::Capture)
        - done(entries, Operation::Void)
}

fn taken(entries: &[LedgerEntry]) -> i64 {
    done(entries, Operation::Capture) - done(entries, Operation::Refund)
}

fn done(entries: &[LedgerEntry], operation: Operation) -> i64 {
    of(entries, operation)
        .filter(|entry| entry.status == EntryStatus::Done)
        .map(|entry| entry.amount)
        .sum()
}

fn of(entries: &[LedgerEntry], operation: Operation) -> impl Iterator<Item = &LedgerEntry> {
    entries.iter().filter(move |entry| entry.operation == operation.name())
}

fn entry(call: &ProviderCall, status: EntryStatus, at: DateTime<Utc>) -> LedgerEntry {
    LedgerEntry {
        number: 0,
        key: call.key.clone(),
        payment_id: call.payment_id.to_string(),
        operation: call.operation.name().to_owned(),
        amount: call.amount.minor(),
        currency: call.amount.currency().to_string(),
        status,
        code: None,
        retriable: false,
        method: call.method.as_ref().map(ToString::to_string),
        expires_at: None,
        at,
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{OrderId, PaymentId};
    use domain::text::PaymentMethod;

    use super::*;

    fn authorize(method: &str) -> ProviderCall {
        let order_id = OrderId::parse("o").unwrap();
        ProviderCall {
            key: "o-p1/authorize/1".to_owned(),
            payment_id: PaymentId::nth(&order_id, 1),
            order_id,
            operation: Operation::Authorize,
            attempt: 1,
            amount: Money::new(500, Currency::parse("GBP").unwrap()),
            method: Some(PaymentMethod::parse(method).unwrap()),
            correlation_id: "o".to_owned(),
            reference: None,
            opened_at: None,
            occurred_at: DateTime::UNIX_EPOCH,
            traceparent: None,
        }
    }

    #[test]
    fn a_slow_answer_takes_nearly_as_long_as_its_caller_waits_and_a_late_one_longer() {
        let deadline = Duration::from_secs(2);
        let takes = |method| delay(&[], &authorize(method), deadline);
        assert_eq!(takes("pm_ok"), Duration::ZERO);
        assert!((deadline / 2..deadline).contains(&takes("pm_slow")));
        assert!(takes("pm_timeout_then_ok") > deadline);
        assert!(takes("pm_timeout_then_nothing") > deadline);
    }
}

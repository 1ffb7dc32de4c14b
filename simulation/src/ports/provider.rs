//! The payment provider: a bank with a book of its own, written apart from the simulator that is shipped, so that a mistake
//! there is seen here. The payment method chooses what it refuses.
//!
//! **Invariant:** a key has one entry for ever; what is refused or closed is never done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use command_service::payments::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};
use domain::money::Money;
use domain::payments::{Operation, ProviderOutcome};
use domain::text::Reason;
use futures::future::BoxFuture;
use invariants::{LedgerRow, LedgerStatus};
use service_kit::clock::Clock;

use crate::process::Process;
use crate::trace::Trace;
use crate::weather::{Mishap, Weather};

/// The bank.
pub(crate) struct Bank {
    clock: Clock,
    weather: Arc<Weather>,
    trace: Arc<Trace>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// In the order in which they were written.
    rows: Vec<LedgerRow>,
    outcomes: BTreeMap<String, ProviderOutcome>,
    methods: BTreeMap<String, String>,
    /// Captures that failed once.
    failed: BTreeSet<String>,
}

impl Bank {
    pub(crate) fn new(clock: Clock, weather: Arc<Weather>, trace: Arc<Trace>) -> Arc<Self> {
        Arc::new(Self { clock, weather, trace, book: Mutex::default() })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The book, as the checker reads it.
    pub(crate) fn rows(&self) -> Vec<LedgerRow> {
        self.book().rows.clone()
    }

    /// How much the entry of a call was about.
    fn amount_of(&self, call: &ProviderCall) -> Option<Money> {
        let book = self.book();
        let row = book.rows.iter().find(|row| row.key == call.key)?;
        Some(Money::new(row.amount, row.currency))
    }

    /// Does what is asked, once a key.
    fn carry_out(&self, call: &ProviderCall) -> ProviderOutcome {
        let mut book = self.book();
        if let Some(before) = book.outcomes.get(&call.key) {
            return before.clone();
        }
        if let Some(method) = &call.method {
            book.methods.insert(call.payment_id.to_string(), method.to_string());
        }
        let outcome = match book.refusal(call) {
            Some((code, retriable)) => {
                ProviderOutcome::Refused { code: Reason::code(code), retriable }
            }
            None if call.operation == Operation::Authorize => ProviderOutcome::Authorized {
                expires_at: (self.clock)() + TimeDelta::days(7),
                multi_capture: true,
                reference: None,
            },
            None => ProviderOutcome::Done,
        };
        self.trace.tell(format_args!("the bank enters {}: {outcome:?}", call.key));
        book.enter(call, &outcome);
        outcome
    }

    fn look(&self, call: &ProviderCall, when_absent: WhenAbsent) -> ProviderOutcome {
        let mut book = self.book();
        if let Some(before) = book.outcomes.get(&call.key) {
            return before.clone();
        }
        if when_absent == WhenAbsent::Close {
            self.trace.tell(format_args!("the bank closes {}", call.key));
            book.enter(call, &ProviderOutcome::NeverDone);
        }
        ProviderOutcome::NeverDone
    }
}

impl Book {
    fn refusal(&mut self, call: &ProviderCall) -> Option<(&'static str, bool)> {
        let payment = call.payment_id.as_str();
        let method = self.methods.get(payment).cloned().unwrap_or_default();
        let (held, taken) = (self.held(payment), self.taken(payment));
        match (call.operation, method.as_str()) {
            (Operation::Authorize, "pm_declined") => Some(("declined", false)),
            (Operation::Authorize, _) => None,
            (Operation::Capture, "pm_capture_refused") => Some(("capture_refused", false)),
            (Operation::Capture, "pm_capture_fails_once") if self.failed.insert(payment.into()) => {
                Some(("capture_failed", true))
            }
            (Operation::Capture | Operation::Void, _) => {
                (call.amount.minor() > held).then_some(("not_held", false))
            }
            (Operation::Refund, "pm_refund_fails") => Some(("refund_failed", false)),
            (Operation::Refund, _) => {
                (call.amount.minor() > taken).then_some(("not_captured", false))
            }
        }
    }

    fn enter(&mut self, call: &ProviderCall, outcome: &ProviderOutcome) {
        let status = match outcome {
            ProviderOutcome::Authorized { .. } | ProviderOutcome::Done => LedgerStatus::Done,
            ProviderOutcome::Refused { .. }
            | ProviderOutcome::NeverDone
            | ProviderOutcome::Unknown
            | ProviderOutcome::Differs { .. } => LedgerStatus::NotDone,
        };
        self.rows.push(LedgerRow {
            payment_id: call.payment_id.to_string(),
            operation: call.operation,
            amount: call.amount.minor(),
            currency: call.amount.currency(),
            status,
            key: call.key.clone(),
        });
        self.outcomes.insert(call.key.clone(), outcome.clone());
    }

    fn sum(&self, payment: &str, operation: Operation) -> i64 {
        let done = self.rows.iter().filter(|row| {
            row.payment_id == payment
                && row.operation == operation
                && row.status == LedgerStatus::Done
        });
        done.map(|row| row.amount).sum()
    }

    fn held(&self, payment: &str) -> i64 {
        self.sum(payment, Operation::Authorize)
            - self.sum(payment, Operation::Capture)
            - self.sum(payment, Operation::Void)
    }

    fn taken(&self, payment: &str) -> i64 {
        self.sum(payment, Operation::Capture) - self.sum(payment, Operation::Refund)
    }
}

/// The bank as a process reaches it.
pub(crate) struct BankAccess {
    pub(crate) bank: Arc<Bank>,
    pub(crate) process: Arc<Process>,
}

impl PaymentProvider for BankAccess {
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(async move {
            let (bank, weather) = (&self.bank, &self.bank.weather);
            self.process.hop(weather).await;
            if weather.strikes(Mishap::ProviderUnreached) {
                return ProviderOutcome::Unknown.into();
            }
            if weather.strikes(Mishap::ProviderLate) {
                bank.trace.happened("a call that reached the provider late");
                if weather.draw(|rng| rng.chance(300)) {
                    // For a while every call is: until the key is given up.
                    weather.breaks(Mishap::ProviderLate, weather.silence());
                }
                let (bank, call, delay) = (Arc::clone(bank), call.clone(), weather.long_delay());
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    bank.carry_out(&call);
                });
                return ProviderOutcome::Unknown.into();
            }
            let outcome = bank.carry_out(call);
            self.process.hop(weather).await;
            if weather.strikes(Mishap::ProviderAnswerLost) {
                return ProviderOutcome::Unknown.into();
            }
            ProviderAnswer::Said { outcome, amount: bank.amount_of(call) }
        })
    }

    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(async move {
            let (bank, weather) = (&self.bank, &self.bank.weather);
            self.process.hop(weather).await;
            if weather.strikes(Mishap::ProviderUnreached) {
                return ProviderOutcome::Unknown.into();
            }
            let outcome = bank.look(call, when_absent);
            self.process.hop(weather).await;
            if weather.strikes(Mishap::ProviderAnswerLost) {
                return ProviderOutcome::Unknown.into();
            }
            ProviderAnswer::Said { outcome, amount: bank.amount_of(call) }
        })
    }
}

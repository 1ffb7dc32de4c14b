//! A provider with its guard: the only way in which one is asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::money::Money;
use domain::payments::ProviderOutcome;
use tokio::sync::{Semaphore, watch};

use super::breaker::Breaker;
use crate::payments::provider::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};
use crate::payments::settings::RunnerSettings;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::payments) enum Question {
    /// To do it.
    Call,
    /// What became of it.
    Probe(WhenAbsent),
}

impl Question {
    fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Probe(_) => "probe",
        }
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::payments) enum Verdict {
    /// The provider was asked; that it did not answer is an outcome, too.
    Outcome(ProviderOutcome),
    /// It was not asked, and may be after this time.
    NotAsked(Duration),
}

/// A provider with its guard.
pub(in crate::payments) struct Guarded {
    provider: Arc<dyn PaymentProvider>,
    places: Semaphore,
    breaker: Breaker,
    deadline: Duration,
}

impl Guarded {
    pub(in crate::payments) fn new(
        provider: Arc<dyn PaymentProvider>,
        settings: &RunnerSettings,
    ) -> Self {
        let places = Semaphore::new(settings.concurrency.max(1));
        let breaker = Breaker::new(settings.breaker.clone());
        Self { provider, places, breaker, deadline: settings.deadline }
    }

    /// Whether the provider answers, as far as was seen, as it changes.
    pub(in crate::payments) fn answers(&self) -> watch::Receiver<bool> {
        self.breaker.closed()
    }

    /// Asks, as soon as there is a place. The breaker is looked at afterwards: it may open while one waits.
    pub(in crate::payments) async fn ask(
        &self,
        question: Question,
        call: &ProviderCall,
    ) -> Verdict {
        // Nobody closes the semaphore; if somebody did, nobody would be asked.
        let Ok(_place) = self.places.acquire().await else {
            return not_asked(question, call, Duration::ZERO);
        };
        let leave = match self.breaker.enter() {
            Ok(leave) => leave,
            Err(again_in) => return not_asked(question, call, again_in),
        };
        let _under_way = UnderWay::begin();
        let begun = Instant::now();
        let asked = match question {
            Question::Call => self.provider.call(call),
            Question::Probe(when_absent) => self.provider.probe(call, when_absent),
        };
        let answer = tokio::time::timeout(self.deadline, asked).await;
        match answer.unwrap_or_else(|_| ProviderOutcome::Unknown.into()) {
            ProviderAnswer::Said { outcome, amount } => {
                leave.ends(outcome != ProviderOutcome::Unknown);
                let outcome = checked(call, outcome, amount);
                count(call, question, &outcome, begun);
                Verdict::Outcome(outcome)
            }
            ProviderAnswer::NotAsked { again_in } => {
                leave.ends(false);
                not_asked(question, call, again_in)
            }
        }
    }
}

/// A question that is out, as long as this lives.
struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        metrics::gauge!("docket_provider_calls_under_way").increment(1.0);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        metrics::gauge!("docket_provider_calls_under_way").decrement(1.0);
    }
}

/// The outcome, if it is of the amount that was asked for. What was not done has none.
fn checked(
    call: &ProviderCall,
    outcome: ProviderOutcome,
    amount: Option<Money>,
) -> ProviderOutcome {
    let is_done = matches!(outcome, ProviderOutcome::Authorized { .. } | ProviderOutcome::Done);
    match amount {
        Some(found) if is_done && found != call.amount => {
            let (key, asked) = (&call.key, call.amount);
            tracing::error!(%key, ?asked, ?found,
                "the payment provider did something else than it was asked; a person has to look");
            ProviderOutcome::Differs { found }
        }
        Some(_) | None => outcome,
    }
}

fn not_asked(question: Question, call: &ProviderCall, again_in: Duration) -> Verdict {
    metrics::counter!("docket_provider_not_asked_total",
        "operation" => call.operation.name(), "kind" => question.name())
    .increment(1);
    Verdict::NotAsked(again_in)
}

fn count(call: &ProviderCall, question: Question, outcome: &ProviderOutcome, begun: Instant) {
    let outcome = match outcome {
        ProviderOutcome::Authorized { .. } | ProviderOutcome::Done => "done",
        ProviderOutcome::Refused { .. } => "refused",
        ProviderOutcome::NeverDone => "never_done",
        ProviderOutcome::Unknown => "unknown",
        ProviderOutcome::Differs { .. } => "differs",
    };
    let (operation, kind) = (call.operation.name(), question.name());
    metrics::counter!("docket_provider_calls_total",
        "operation" => operation, "kind" => kind, "outcome" => outcome)
    .increment(1);
    metrics::histogram!("docket_provider_call_duration_seconds",
        "operation" => operation, "kind" => kind)
    .record(begun.elapsed().as_secs_f64());
}

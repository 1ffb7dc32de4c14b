//! Carries an intent to its outcome: call, record, and ask again for what is unknown.
//!
//! **Invariant:** it returns only when the outcome is in the log. Whoever stops it before finds the intent open again.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::command::Command;
use domain::payments::{ProviderOutcome, RecordPaymentOutcome};
use event_store::Metadata;
use service_kit::clock::Clock;
use service_kit::trace;
use tokio::sync::watch;
use tracing::{Instrument as _, Span};

use super::guard::{Guarded, Question, Verdict};
use super::intents::{DIFFERS, OUTCOME, UNKNOWN};
use super::news::PaymentNews;
use super::provider::{PaymentProvider, ProviderCall, WhenAbsent};
use super::settings::RunnerSettings;
use super::watch::{LATE, UNWATCHED, Watch};
use crate::processor::{Answer, ExecuteError, ProcessorHandle, Request, WithoutEffect};
use crate::request_hash::RequestHasher;
use crate::side_effects::Errand;

/// Carries one errand after the other, each in a task of the runner.
pub(super) struct Carrier {
    provider: Guarded,
    processor: ProcessorHandle,
    hasher: RequestHasher,
    settings: RunnerSettings,
    clock: Clock,
    news: PaymentNews,
}

/// Whether the call of an intent may have been made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// It was committed just now, by this process.
    Now,
    /// It was found open.
    Before,
}

impl Carrier {
    pub(super) fn new(
        provider: Arc<dyn PaymentProvider>,
        processor: ProcessorHandle,
        hasher: RequestHasher,
        settings: RunnerSettings,
        clock: Clock,
        news: PaymentNews,
    ) -> Self {
        let provider = Guarded::new(provider, &settings);
        Self { provider, processor, hasher, settings, clock, news }
    }

    /// Whether the provider answers, as far as was seen, as it changes.
    pub(super) fn provider_answers(&self) -> watch::Receiver<bool> {
        self.provider.answers()
    }

    /// As far as it can be done now: a payment until its outcome is in the log, a watch for one look.
    pub(super) async fn run(
        &self,
        id: &str,
        errand: &Errand,
        begun: Begun,
        opened_at: DateTime<Utc>,
    ) {
        match errand {
            Errand::Payment(call) => {
                let call = ProviderCall { opened_at: Some(opened_at), ..(**call).clone() };
                self.pay(id, &call, begun).instrument(span_of(&call)).await;
            }
            Errand::Watch(watch) => self.look(id, watch, opened_at).await,
        }
    }

    /// Until the outcome is in the log.
    async fn pay(&self, id: &str, call: &ProviderCall, begun: Begun) {
        let mut outcome = match begun {
            Begun::Now => self.ask(call).await,
            Begun::Before => self.find_or_ask(call).await,
        };
        let (mut wait, mut calls) = (self.settings.probe_first, 1);
        let mut news = self.news.of(&call.payment_id);
        while !outcome.is_final() {
            self.record(id, &open_suffix(&outcome), call, outcome).await;
            news.pause(wait).await;
            wait = (wait * 2).min(self.settings.probe_most);
            outcome = if calls < self.settings.calls {
                let found = self.probe(call, WhenAbsent::LeaveOpen).await;
                // A provider that was away for a moment is no reason to give the payment up.
                if found == ProviderOutcome::NeverDone {
                    calls += 1;
                    self.ask(call).await
                } else {
                    found
                }
            } else {
                self.probe(call, WhenAbsent::Close).await
            };
        }
        self.record(id, OUTCOME, call, outcome).await;
    }

    /// One look for an authorization that was voided before it came. The next scan looks again, until the provider
    /// honours the key no more.
    async fn look(&self, id: &str, watch: &Watch, opened_at: DateTime<Utc>) {
        let lives = TimeDelta::from_std(self.settings.key_lifetime).unwrap_or(TimeDelta::MAX);
        let now = (self.clock)();
        let is_over = now.signed_duration_since(opened_at) >= lives;
        let call = ProviderCall { opened_at: Some(opened_at), ..watch.call.clone() };
        let asked = self.provider.ask(Question::Probe(WhenAbsent::LeaveOpen), &call).await;
        // The next scan asks what is not asked now.
        let Verdict::Outcome(outcome) = asked else { return };
        let request = match watch.found(&outcome) {
            // Each look that finds something is a command of its own: a refused void is asked for again.
            Some(late) => {
                self.request(id, &format!("{LATE}{}", now.timestamp_micros()), &watch.call, late)
            }
            None if is_over && outcome.is_final() => {
                self.request(id, UNWATCHED, &watch.call, watch.void.clone())
            }
            None => return,
        };
        if let Err(error) = self.processor.execute(request).await {
            tracing::warn!(%error, %id, "what landed after its void is not settled yet");
        }
    }

    /// The call may have been made before the process ended: what it came to, or the same call with the same key.
    async fn find_or_ask(&self, call: &ProviderCall) -> ProviderOutcome {
        match self.probe(call, WhenAbsent::LeaveOpen).await {
            ProviderOutcome::NeverDone => self.ask(call).await,
            found => found,
        }
    }

    async fn ask(&self, call: &ProviderCall) -> ProviderOutcome {
        self.until_asked(Question::Call, call).await
    }

    async fn probe(&self, call: &ProviderCall, when_absent: WhenAbsent) -> ProviderOutcome {
        self.until_asked(Question::Probe(when_absent), call).await
    }

    /// What was not asked has no outcome: the intent stays as open as it was, and the same is asked a while later.
    async fn until_asked(&self, question: Question, call: &ProviderCall) -> ProviderOutcome {
        let mut wait = self.settings.probe_first;
        loop {
            match self.provider.ask(question, call).await {
                Verdict::Outcome(outcome) => return outcome,
                Verdict::NotAsked(again_in) => tokio::time::sleep(wait.max(again_in)).await,
            }
            // It costs the provider nothing, so it need not become rare.
            wait = (wait * 2).min(self.settings.breaker.rest_first);
        }
    }

    /// Appends the outcome; tries until the log has it.
    async fn record(&self, id: &str, suffix: &str, call: &ProviderCall, outcome: ProviderOutcome) {
        let record = RecordPaymentOutcome {
            payment_id: call.payment_id.clone(),
            order_id: call.order_id.clone(),
            operation: call.operation,
            attempt: call.attempt,
            outcome,
        };
        let request = self.request(id, suffix, call, record);
        let mut wait = self.settings.probe_first;
        loop {
            match self.processor.execute(request.clone()).await {
                Ok(_) | Err(ExecuteError::KeyReused) => return,
                Err(error) => {
                    tracing::warn!(%error, %id, "a payment's outcome is not recorded yet");
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(self.settings.probe_most);
        }
    }

    fn request(
        &self,
        id: &str,
        suffix: &str,
        call: &ProviderCall,
        command: impl Into<Command>,
    ) -> Request {
        let command_id: Arc<str> = format!("{id}{suffix}").into();
        Request {
            command_id: Arc::clone(&command_id),
            request_hash: self.hasher.hash(&[command_id.as_bytes()]),
            command: command.into(),
            expected: None,
            metadata: Arc::new(Metadata {
                command_id,
                actor: "payments".into(),
                correlation_id: call.correlation_id.as_str().into(),
                causation_id: Some(id.into()),
                traceparent: call.traceparent.clone(),
                occurred_at: call.occurred_at,
            }),
            answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
            without_effect: WithoutEffect::Answer,
        }
    }
}

/// What the id of the append has after that of the intent, of an outcome that does not end it. Each answer to another
/// question is told once.
fn open_suffix(outcome: &ProviderOutcome) -> Cow<'static, str> {
    match outcome {
        ProviderOutcome::Differs { found } => {
            format!("{DIFFERS}{}{}", found.currency(), found.minor()).into()
        }
        ProviderOutcome::Unknown
        | ProviderOutcome::Authorized { .. }
        | ProviderOutcome::Done
        | ProviderOutcome::Refused { .. }
        | ProviderOutcome::NeverDone => UNKNOWN.into(),
    }
}

/// From an intent to its outcome, a part of the trace of what left the intent.
fn span_of(call: &ProviderCall) -> Span {
    let operation = call.operation.name();
    let span = tracing::info_span!("payment", operation, payment.id = %call.payment_id);
    trace::follow(&span, call.traceparent.as_deref());
    span
}

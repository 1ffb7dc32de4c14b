//! Carries every open intent to its outcome: call, record, and ask again for what is unknown.
//!
//! **Invariant:** an intent is carried by one task at a time; it is left only when its outcome is in the log, or at
//! shutdown, after which the next start finds it again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::command::Command;
use domain::event::Event;
use domain::payments::{ProviderOutcome, RecordPaymentOutcome};
use event_store::{EventLog, Intent, IntentChange, Metadata};
use service_kit::clock::Clock;
use service_kit::trace;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, Span};

use super::intents::{OUTCOME, UNKNOWN};
use super::provider::{PaymentProvider, ProviderCall, WhenAbsent};
use super::watch::{LATE, UNWATCHED, Watch};
use crate::processor::{Answer, ExecuteError, Observer, ProcessorHandle, Request, WithoutEffect};
use crate::request_hash::RequestHasher;
use crate::side_effects::SideEffect;

/// How long the runner waits and how much it does at once.
#[derive(Debug, Clone)]
pub struct RunnerSettings {
    /// How long the provider may take to answer; longer is an unknown outcome.
    pub deadline: Duration,
    /// The wait before the first probe of an unknown outcome; doubles each time.
    pub probe_first: Duration,
    /// The longest wait between two probes.
    pub probe_most: Duration,
    /// How often a call is made that never arrives, under one key; then the key is closed.
    pub calls: u32,
    /// Calls to the provider at the same time.
    pub concurrency: usize,
    /// How often the log is asked for intents that nobody carries.
    pub scan_every: Duration,
    /// How long the provider honours a key: so long an authorization may land after its void.
    pub key_lifetime: Duration,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            probe_first: Duration::from_millis(200),
            probe_most: Duration::from_secs(30),
            calls: 3,
            concurrency: 256,
            scan_every: Duration::from_secs(30),
            key_lifetime: Duration::from_hours(24),
        }
    }
}

/// What the runner's tasks share.
struct Shared {
    provider: Arc<dyn PaymentProvider>,
    processor: ProcessorHandle,
    hasher: RequestHasher,
    settings: RunnerSettings,
    clock: Clock,
    bulkhead: Semaphore,
    carried: Mutex<HashSet<Arc<str>>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Carries intents; cheap to clone.
#[derive(Clone)]
pub struct IntentRunner {
    shared: Arc<Shared>,
}

/// Whether the call of an intent may have been made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// It was committed just now, by this process.
    Now,
    /// It was found open.
    Before,
}

/// Tells the runner of intents as they are committed. A hint: the runner reads the log as well.
pub struct OpenedIntents {
    opened: mpsc::UnboundedSender<Opened>,
}

/// An intent as it was committed.
#[derive(Debug)]
pub struct Opened {
    id: Arc<str>,
    payload: String,
}

/// The observer for the processor, and the end of it for the runner.
pub fn opened_intents() -> (OpenedIntents, mpsc::UnboundedReceiver<Opened>) {
    // As many wait here as commands have left intents that the runner has not begun: it begins each at once.
    let (opened, receiver) = mpsc::unbounded_channel();
    (OpenedIntents { opened }, receiver)
}

impl Observer for OpenedIntents {
    fn committed(&self, _events: &[Event], intents: &[IntentChange]) {
        for change in intents {
            match change {
                IntentChange::Open { id, payload } => {
                    let opened = Opened { id: Arc::clone(id), payload: payload.clone() };
                    // Nobody listens at shutdown: the next start finds the intent in the log.
                    drop(self.opened.send(opened));
                }
                IntentChange::Close { .. } => {}
            }
        }
    }
}

impl IntentRunner {
    /// Starts to carry what `opened` tells, and whatever is open in the log: now, and again and again.
    pub fn start(
        provider: Arc<dyn PaymentProvider>,
        processor: ProcessorHandle,
        hasher: RequestHasher,
        settings: RunnerSettings,
        log: Arc<dyn EventLog>,
        opened: mpsc::UnboundedReceiver<Opened>,
        clock: Clock,
    ) -> Self {
        let bulkhead = Semaphore::new(settings.concurrency.max(1));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let carried = Mutex::default();
        let shared =
            Shared { provider, processor, hasher, settings, clock, bulkhead, carried, stop, tasks };
        let runner = Self { shared: Arc::new(shared) };
        runner.shared.tasks.spawn(runner.clone().listen(log, opened));
        runner
    }

    /// Stops carrying; what is open is found again at the next start.
    pub async fn shutdown(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    async fn listen(self, log: Arc<dyn EventLog>, mut opened: mpsc::UnboundedReceiver<Opened>) {
        let mut ticks = tokio::time::interval(self.shared.settings.scan_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.shared.stop.cancelled() => return,
                Some(Opened { id, payload }) = opened.recv() => {
                    let opened_at = (self.shared.clock)();
                    self.carry(Intent { id, payload, opened_at }, Begun::Now);
                }
                _ = ticks.tick() => self.scan(&*log).await,
            }
        }
    }

    /// An intent that was committed while this reads is told as well; it may be carried as found then, which only
    /// costs a probe.
    async fn scan(&self, log: &dyn EventLog) {
        match log.open_intents().await {
            Ok(intents) => {
                for intent in intents {
                    self.carry(intent, Begun::Before);
                }
            }
            Err(error) => tracing::warn!(%error, "open intents could not be read"),
        }
    }

    fn carry(&self, intent: Intent, begun: Begun) {
        let Intent { id, payload, opened_at } = intent;
        let side_effect = match serde_json::from_str(&payload) {
            // What was voided just now is looked for at the next scan.
            Ok(SideEffect::Watch(_)) if begun == Begun::Now => return,
            Ok(SideEffect::Erasure(_)) => return,
            Ok(side_effect) => side_effect,
            Err(error) => {
                tracing::error!(%error, %id, "an open intent can't be read");
                return;
            }
        };
        let shared = Arc::clone(&self.shared);
        if shared.stop.is_cancelled() || !shared.carried().insert(Arc::clone(&id)) {
            return;
        }
        let carried = Carried { shared: Arc::clone(&shared), id: Arc::clone(&id) };
        self.shared.tasks.spawn(async move {
            let _carried = carried;
            tokio::select! {
                () = shared.stop.cancelled() => {}
                () = async {
                    match side_effect {
                        SideEffect::Payment(call) => {
                            shared.run(&id, &call, begun).instrument(span_of(&call)).await;
                        }
                        SideEffect::Watch(watch) => shared.look(&id, &watch, opened_at).await,
                        SideEffect::Erasure(_) => {}
                    }
                } => {}
            }
        });
    }
}

/// An intent that a task carries; it can be taken up again once this is dropped, also by a panic.
struct Carried {
    shared: Arc<Shared>,
    id: Arc<str>,
}

impl Drop for Carried {
    fn drop(&mut self) {
        self.shared.carried().remove(&self.id);
    }
}

impl Shared {
    fn carried(&self) -> std::sync::MutexGuard<'_, HashSet<Arc<str>>> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until the outcome is in the log.
    async fn run(&self, id: &Arc<str>, call: &ProviderCall, begun: Begun) {
        let mut outcome = match begun {
            Begun::Now => self.ask(call).await,
            Begun::Before => self.find_or_ask(call).await,
        };
        let (mut wait, mut calls) = (self.settings.probe_first, 1);
        while outcome == ProviderOutcome::Unknown {
            self.record(id, UNKNOWN, call, outcome).await;
            tokio::time::sleep(wait).await;
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
        let outcome = self.probe(&watch.call, WhenAbsent::LeaveOpen).await;
        let request = match watch.found(&outcome) {
            // Each look that finds something is a command of its own: a refused void is asked for again.
            Some(late) => {
                self.request(id, &format!("{LATE}{}", now.timestamp_micros()), &watch.call, late)
            }
            None if is_over && outcome != ProviderOutcome::Unknown => {
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
        let Ok(_permit) = self.bulkhead.acquire().await else { return ProviderOutcome::Unknown };
        let begun = Instant::now();
        let asked = tokio::time::timeout(self.settings.deadline, self.provider.call(call)).await;
        let outcome = asked.unwrap_or(ProviderOutcome::Unknown);
        count(call, "call", &outcome, begun);
        outcome
    }

    async fn probe(&self, call: &ProviderCall, when_absent: WhenAbsent) -> ProviderOutcome {
        let Ok(_permit) = self.bulkhead.acquire().await else { return ProviderOutcome::Unknown };
        let begun = Instant::now();
        let probe = self.provider.probe(call, when_absent);
        let probed = tokio::time::timeout(self.settings.deadline, probe).await;
        let outcome = probed.unwrap_or(ProviderOutcome::Unknown);
        count(call, "probe", &outcome, begun);
        outcome
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

/// From an intent to its outcome, a part of the trace of what left the intent.
fn span_of(call: &ProviderCall) -> Span {
    let operation = call.operation.name();
    let span = tracing::info_span!("payment", operation, payment.id = %call.payment_id);
    trace::follow(&span, call.traceparent.as_deref());
    span
}

fn count(call: &ProviderCall, kind: &'static str, outcome: &ProviderOutcome, begun: Instant) {
    let outcome = match outcome {
        ProviderOutcome::Authorized { .. } | ProviderOutcome::Done => "done",
        ProviderOutcome::Refused { .. } => "refused",
        ProviderOutcome::NeverDone => "never_done",
        ProviderOutcome::Unknown => "unknown",
    };
    let operation = call.operation.name();
    metrics::counter!("docket_provider_calls_total",
        "operation" => operation, "kind" => kind, "outcome" => outcome)
    .increment(1);
    metrics::histogram!("docket_provider_call_duration_seconds",
        "operation" => operation, "kind" => kind)
    .record(begun.elapsed().as_secs_f64());
}

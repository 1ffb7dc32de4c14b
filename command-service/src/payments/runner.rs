//! Finds every open intent that is the provider's business, and has it carried.
//!
//! **Invariant:** an intent is carried by one task at a time; it is left only when its outcome is in the log, or at
//! shutdown, after which the next start finds it again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event_store::{EventLog, Intent};
use service_kit::clock::Clock;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::carrier::{Begun, Carrier};
use super::news::PaymentNews;
use super::opened::Opened;
use super::provider::PaymentProvider;
use super::settings::RunnerSettings;
use crate::processor::ProcessorHandle;
use crate::request_hash::RequestHasher;
use crate::side_effects::{Errand, SideEffect};

/// What the runner's tasks share.
struct Shared {
    carrier: Carrier,
    scan_every: Duration,
    clock: Clock,
    carried: Mutex<HashSet<Arc<str>>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Carries intents; cheap to clone.
#[derive(Clone)]
pub struct IntentRunner {
    shared: Arc<Shared>,
    news: PaymentNews,
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
        let scan_every = settings.scan_every;
        let news = PaymentNews::default();
        let carrier =
            Carrier::new(provider, processor, hasher, settings, Arc::clone(&clock), news.clone());
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let shared = Shared { carrier, scan_every, clock, carried: Mutex::default(), stop, tasks };
        let runner = Self { shared: Arc::new(shared), news };
        runner.shared.tasks.spawn(runner.clone().listen(log, opened));
        runner
    }

    /// Where it hears that something happened at the provider.
    pub fn news(&self) -> PaymentNews {
        self.news.clone()
    }

    /// Whether the provider answers, as far as was seen, as it changes.
    pub fn provider_answers(&self) -> watch::Receiver<bool> {
        self.shared.carrier.provider_answers()
    }

    /// Stops carrying; what is open is found again at the next start.
    pub async fn shutdown(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    async fn listen(self, log: Arc<dyn EventLog>, mut opened: mpsc::UnboundedReceiver<Opened>) {
        let mut ticks = tokio::time::interval(self.shared.scan_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // A scan is seldom: intents that never end to come don't hold it up.
                biased;
                () = self.shared.stop.cancelled() => return,
                _ = ticks.tick() => self.scan(&*log).await,
                Some(Opened { id, payload }) = opened.recv() => {
                    let opened_at = (self.shared.clock)();
                    self.carry(Intent { id, payload, opened_at }, Begun::Now);
                }
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
        let errand = match serde_json::from_str(&payload).map(SideEffect::errand) {
            // What was voided just now is looked for at the next scan.
            Ok(Some(Errand::Watch(_))) if begun == Begun::Now => return,
            Ok(Some(errand)) => errand,
            Ok(None) => return,
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
                biased;
                () = shared.stop.cancelled() => {}
                () = shared.carrier.run(&id, &errand, begun, opened_at) => {}
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
}

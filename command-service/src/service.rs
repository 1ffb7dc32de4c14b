//! The whole service: processor, payments, participants and router, started and stopped together.

use std::sync::Arc;

use axum::http::Method;
use event_store::EventLog;
use event_store::keys::Vault;
use service_kit::access::Access;
use service_kit::clock::Clock;
use service_kit::valve::Valve;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::http::{self, App, LetterDesk, NoticeDesk, OrderWaiters};
use crate::parking::DeadLetters;
use crate::participants::Participants;
use crate::payments::simulator::{Ledger, SimulatedProvider, SimulatorSettings};
use crate::payments::stripe::webhook::{SeenNotices, Signatures};
use crate::payments::{IntentRunner, PaymentProvider, RunnerSettings, opened_intents};
use crate::processor::{Processor, ProcessorHandle, ProcessorSettings};
use crate::request_hash::RequestHasher;

/// How the service runs.
#[derive(Debug, Clone)]
pub struct CommandSettings {
    /// The secret under which requests are hashed; the same as long as the log lives.
    pub request_secret: Vec<u8>,
    /// The processor's bounds.
    pub processor: ProcessorSettings,
    /// The intent runner's times.
    pub payments: RunnerSettings,
}

/// Who takes the money.
pub enum Provider {
    /// The simulated one, over this ledger.
    Simulated(Ledger),
    /// Another one.
    Other(Arc<dyn PaymentProvider>),
}

/// The running service.
pub struct CommandService {
    processor: Processor,
    runner: IntentRunner,
    hasher: RequestHasher,
    app: App,
    simulated: Option<Ledger>,
    letters: Option<Arc<DeadLetters>>,
    notices: Option<Arc<NoticeDesk>>,
    erasures: JoinHandle<()>,
    stop: CancellationToken,
}

impl CommandService {
    /// Starts the processor, continues open intents, and makes the rest ready.
    pub fn start(
        settings: CommandSettings,
        log: Arc<dyn EventLog>,
        vault: Arc<Vault>,
        provider: Provider,
        clock: Clock,
    ) -> Self {
        let hasher = RequestHasher::new(&settings.request_secret);
        let waiters = Arc::new(OrderWaiters::default());
        let (observer, opened) = opened_intents();
        let processor = Processor::start(
            Arc::clone(&log),
            Arc::clone(&clock),
            settings.processor,
            vec![Arc::clone(&waiters) as _, Arc::new(observer)],
        );
        let (provider, simulated): (Arc<dyn PaymentProvider>, _) = match provider {
            Provider::Simulated(ledger) => {
                let behaviour = SimulatorSettings { deadline: settings.payments.deadline };
                let provider =
                    SimulatedProvider::start(ledger.clone(), Arc::clone(&clock), behaviour);
                (Arc::new(provider), Some(ledger))
            }
            Provider::Other(provider) => (provider, None),
        };
        let runner = IntentRunner::start(
            provider,
            processor.handle().for_own_work(),
            hasher.clone(),
            settings.payments,
            Arc::clone(&log),
            opened,
            Arc::clone(&clock),
        );
        let store = Arc::clone(&log);
        let app = App::new(processor.handle(), log, vault, hasher.clone(), clock, waiters);
        let stop = CancellationToken::new();
        let erasures = tokio::spawn(app.eraser().keep_finishing(store, stop.clone()));
        Self {
            processor,
            runner,
            hasher,
            app,
            simulated,
            letters: None,
            notices: None,
            erasures,
            stop,
        }
    }

    /// Keeps what nobody understands among these letters, for an operator to see and replay.
    #[must_use]
    pub fn with_dead_letters(mut self, letters: Arc<DeadLetters>) -> Self {
        self.letters = Some(letters);
        self
    }

    /// Takes in what Stripe tells by itself, if it is signed under one of these secrets; nothing without any.
    #[must_use]
    pub fn with_stripe_notices(mut self, signatures: Option<Signatures>) -> Self {
        self.notices = signatures.map(|signatures| {
            let (seen, news) = (SeenNotices::default(), self.runner.news());
            let clock = Arc::clone(&self.app.clock);
            Arc::new(NoticeDesk { signatures, seen, news, clock })
        });
        self
    }

    /// Whether the payment provider answers, as far as was seen, as it changes: while it does not, payments wait.
    pub fn provider_answers(&self) -> watch::Receiver<bool> {
        self.runner.provider_answers()
    }

    /// The endpoints, without the `/v1` that stands before them, for those whom `access` lets in.
    pub fn router(&self, access: &Access) -> OpenApiRouter {
        let (letters, participants) = (self.letters.clone(), self.participants());
        let desk = LetterDesk { letters, participants, clock: Arc::clone(&self.app.clock) };
        http::router(self.app.clone(), self.simulated.clone(), desk, access)
    }

    /// Shut for clients' commands while there is no room for them; `is_command` says which requests are.
    pub fn valve(&self, is_command: fn(&Method, &str) -> bool) -> Valve {
        self.app.valve(is_command)
    }

    /// What a payment provider tells by itself, without the `/v1` as well; nothing where nobody takes notices. Who comes here
    /// has a signature and no token, so it stands beside whatever asks for one.
    pub fn notices(&self) -> OpenApiRouter {
        let notices = self.notices.as_ref();
        notices.map_or_else(OpenApiRouter::new, |desk| http::notices(Arc::clone(desk)))
    }

    /// The queue's handler.
    pub fn participants(&self) -> Participants {
        let processor = self.processor.handle().for_own_work();
        Participants::new(processor, self.hasher.clone(), self.letters.clone())
    }

    /// The way into the processor, for what comes neither over HTTP nor from the queue.
    pub fn processor(&self) -> ProcessorHandle {
        self.processor.handle()
    }

    /// Answers everyone who waits for an order's decision with what is known by now; nobody waits any more. The server
    /// need not wait for them then.
    pub fn end_waits(&self) {
        self.app.end_waits();
    }

    /// Stops payments, then ends the commands that wait. Stop the HTTP server and the queue first.
    pub async fn shutdown(self) {
        self.stop.cancel();
        if let Err(error) = self.erasures.await {
            tracing::error!(%error, "the task that finishes erasures failed");
        }
        self.runner.shutdown().await;
        self.processor.shutdown().await;
    }
}

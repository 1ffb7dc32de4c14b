//! A provider that does not answer is left alone, and nothing is lost or undone by that; one that does something else than
//! it was asked is never believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use command_service::Provider;
use command_service::payments::simulator::{SimulatedProvider, SimulatorSettings};
use command_service::payments::{
    BreakerSettings, PaymentProvider, ProviderAnswer, ProviderCall, RunnerSettings, WhenAbsent,
};
use domain::money::Money;
use domain::payments::ProviderOutcome;
use event_store::EventLog;
use futures::future::BoxFuture;
use service_kit::clock::system;

use crate::payments::{STREAM, ask, authorize};
use crate::support::{TestApp, patient, types, until};

/// A provider that is away while it is told to be.
struct Absent {
    provider: SimulatedProvider,
    is_away: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}

impl Absent {
    fn ask<'a>(&'a self, answer: BoxFuture<'a, ProviderAnswer>) -> BoxFuture<'a, ProviderAnswer> {
        self.asked.fetch_add(1, SeqCst);
        if self.is_away.load(SeqCst) {
            return Box::pin(std::future::ready(ProviderOutcome::Unknown.into()));
        }
        answer
    }
}

impl PaymentProvider for Absent {
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        self.ask(self.provider.call(call))
    }

    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer> {
        self.ask(self.provider.probe(call, when_absent))
    }
}

#[tokio::test]
async fn what_the_breaker_holds_back_stays_open_and_is_done_when_the_provider_is_back() {
    let (is_away, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
    // It opens at the first question without an answer.
    let rest = Duration::from_millis(200);
    let breaker = BreakerSettings {
        window: 1,
        least: 1,
        rest_first: rest,
        rest_most: rest,
        ..BreakerSettings::default()
    };
    let (away, counted) = (Arc::clone(&is_away), Arc::clone(&asked));
    let app = TestApp::asking_with(RunnerSettings { breaker, ..patient() }, |ledger| {
        let provider = SimulatedProvider::start(ledger, system(), SimulatorSettings::default());
        Provider::Other(Arc::new(Absent { provider, is_away: away, asked: counted }))
    });
    let app = app.await;
    ask(&app, "a", authorize("pm_ok")).await;
    until(&*app.log, STREAM, "PaymentOutcomeUnknown").await;
    let mut others = Vec::new();
    for n in 0..20 {
        let (order, stream) = (format!("other{n}"), format!("payment-other{n}-p1"));
        ask(&app, &order, crate::payments::authorize_of(&order, "pm_ok")).await;
        others.push(stream);
    }
    let waited = asked.load(SeqCst);
    assert!(waited < 20, "{waited} questions to a provider that is away");
    for other in &others {
        assert_eq!(types(&*app.log, other).await[0], "PaymentRequested");
    }
    is_away.store(false, SeqCst);
    for stream in others.iter().map(String::as_str).chain([STREAM]) {
        until(&*app.log, stream, "PaymentAuthorized").await;
    }
    assert!(app.log.open_intents().await.unwrap().is_empty());
    let entries = app.ledger.page(None, 0, 100).await.unwrap();
    assert_eq!(entries.len(), 21, "each was done once");
}

/// A provider that holds another amount than it is asked to, until somebody puts that right.
struct Mistaken {
    provider: SimulatedProvider,
    is_mistaken: Arc<AtomicBool>,
}

impl Mistaken {
    async fn said(&self, answer: BoxFuture<'_, ProviderAnswer>) -> ProviderAnswer {
        match answer.await {
            ProviderAnswer::Said { outcome, amount: Some(amount) }
                if self.is_mistaken.load(SeqCst) =>
            {
                let amount = Some(Money::new(amount.minor() - 1, amount.currency()));
                ProviderAnswer::Said { outcome, amount }
            }
            other => other,
        }
    }
}

impl PaymentProvider for Mistaken {
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(self.said(self.provider.call(call)))
    }

    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(self.said(self.provider.probe(call, when_absent)))
    }
}

#[tokio::test]
async fn another_amount_than_was_asked_for_is_never_taken_as_done_and_is_asked_about_on() {
    let is_mistaken = Arc::new(AtomicBool::new(true));
    let mistaken = Arc::clone(&is_mistaken);
    let app = TestApp::asking(|ledger| {
        let provider = SimulatedProvider::start(ledger, system(), SimulatorSettings::default());
        Provider::Other(Arc::new(Mistaken { provider, is_mistaken: mistaken }))
    });
    let app = app.await;
    ask(&app, "a", authorize("pm_ok")).await;
    until(&*app.log, STREAM, "PaymentOutcomeUnknown").await;
    let events = app.log.read_stream(&STREAM.into(), 0, 10).await.unwrap();
    assert!(events[1].payload.contains(r#""found":{"amount":499,"#), "{}", events[1].payload);
    assert_eq!(events.len(), 2);
    is_mistaken.store(false, SeqCst);
    until(&*app.log, STREAM, "PaymentAuthorized").await;
    assert_eq!(app.ledger.page(None, 0, 100).await.unwrap().len(), 1, "nothing was done twice");
}

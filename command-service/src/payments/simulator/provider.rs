//! The provider's desk: one task takes whatever calls wait, writes them with one commit, and answers.

use std::collections::HashMap;
use std::time::Duration;

use domain::payments::ProviderOutcome;
use futures::future::BoxFuture;
use service_kit::clock::Clock;
use tokio::sync::{mpsc, oneshot};

use super::behaviour::{self, Written};
use super::entry::LedgerEntry;
use super::sqlite::Ledger;
use crate::payments::provider::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};

/// Calls that wait at the desk at most; further ones wait outside.
const WAITING: usize = 1_024;

/// How the simulated provider behaves.
#[derive(Debug, Clone)]
pub struct SimulatorSettings {
    /// How long its callers wait: what it is late or nearly late for.
    pub deadline: Duration,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(2) }
    }
}

/// The simulated provider. Its desk closes when the last of its users is gone.
#[derive(Debug, Clone)]
pub struct SimulatedProvider {
    desk: mpsc::Sender<Visit>,
    ledger: Ledger,
}

/// A call or a probe at the desk.
#[derive(Debug)]
struct Visit {
    call: ProviderCall,
    /// `None` for a call.
    probe: Option<WhenAbsent>,
    answer: oneshot::Sender<(ProviderAnswer, Duration)>,
}

impl SimulatedProvider {
    /// Opens the desk over this ledger.
    pub fn start(ledger: Ledger, clock: Clock, settings: SimulatorSettings) -> Self {
        let (desk, visits) = mpsc::channel(WAITING);
        tokio::spawn(serve(ledger.clone(), clock, settings, visits));
        Self { desk, ledger }
    }

    /// The book that it keeps.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    async fn visit(&self, call: &ProviderCall, probe: Option<WhenAbsent>) -> ProviderAnswer {
        let (answer, answered) = oneshot::channel();
        let visit = Visit { call: call.clone(), probe, answer };
        if self.desk.send(visit).await.is_err() {
            return ProviderOutcome::Unknown.into();
        }
        let Ok((said, delay)) = answered.await else { return ProviderOutcome::Unknown.into() };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        said
    }
}

impl PaymentProvider for SimulatedProvider {
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(self.visit(call, None))
    }

    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(self.visit(call, Some(when_absent)))
    }
}

async fn serve(
    ledger: Ledger,
    clock: Clock,
    settings: SimulatorSettings,
    mut visits: mpsc::Receiver<Visit>,
) {
    let mut batch = Vec::new();
    while visits.recv_many(&mut batch, WAITING).await > 0 {
        let visits = std::mem::take(&mut batch);
        // A failed commit answers nobody: to the callers the outcome is unknown, and they ask again.
        if let Err(error) = serve_batch(&ledger, &clock, &settings, visits).await {
            tracing::warn!(%error, "the simulated provider could not write its ledger");
        }
    }
}

async fn serve_batch(
    ledger: &Ledger,
    clock: &Clock,
    settings: &SimulatorSettings,
    visits: Vec<Visit>,
) -> Result<(), sqlx::Error> {
    let payments: Vec<&str> = visits.iter().map(|visit| visit.call.payment_id.as_str()).collect();
    let mut known: HashMap<String, Vec<LedgerEntry>> = ledger.of_payments(&payments).await?;
    let mut new = Vec::new();
    let mut answers = Vec::with_capacity(visits.len());
    for visit in visits {
        let entries = known.entry(visit.call.payment_id.to_string()).or_default();
        let written = match visit.probe {
            None => behaviour::judge(entries, &visit.call, clock()),
            Some(when_absent) => behaviour::probe(entries, &visit.call, when_absent, clock()),
        };
        let delay = match visit.probe {
            None => behaviour::delay(entries, &visit.call, settings.deadline),
            Some(_) => Duration::ZERO,
        };
        let said = match written {
            Written::New(entry) => {
                let said = behaviour::said(&entry);
                entries.push(entry.clone());
                new.push(entry);
                said
            }
            Written::Before(entry) => behaviour::said(&entry),
            Written::Nothing if visit.probe.is_some() => ProviderOutcome::NeverDone.into(),
            Written::Nothing => ProviderOutcome::Unknown.into(),
        };
        answers.push((visit.answer, (said, delay)));
    }
    if !new.is_empty() {
        ledger.write(&new).await?;
    }
    for (answer, said) in answers {
        // A caller who gave up waiting will probe.
        drop(answer.send(said));
    }
    Ok(())
}

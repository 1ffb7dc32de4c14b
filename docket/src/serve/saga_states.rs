//! The sagas of an order, asked from the orchestrator.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use domain::ids::{OrderId, SagaId};
use domain::sagas::{SagaKind, SagaState};
use futures::future::BoxFuture;
use messaging::jetstream::{self, AskError, Names};
use projection_service::{SagaStates, SagaSummary};
use saga_orchestrator::Orchestrator;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What is asked.
const SERVICE: &str = "sagas-of-order";
/// How long an answer may take: without it, what events tell is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// For how long nobody asks after a question was not answered in time: every read of an order would wait as long.
const PAUSE: Duration = Duration::from_secs(3);

#[derive(Serialize, Deserialize)]
struct Question {
    order_id: OrderId,
}

#[derive(Serialize, Deserialize)]
struct Summary {
    id: SagaId,
    kind: SagaKind,
    state: SagaState,
}

/// Answers from this orchestrator until it is stopped.
pub(super) async fn serve(
    client: Client,
    names: Names,
    orchestrator: Arc<Orchestrator>,
    stop: CancellationToken,
) {
    let answer = move |question: Question| -> BoxFuture<'static, Result<Vec<Summary>, String>> {
        let orchestrator = Arc::clone(&orchestrator);
        Box::pin(async move {
            let sagas = orchestrator.summaries_of_order(&question.order_id).await;
            let sagas = sagas.map_err(|error| {
                tracing::warn!(%error, "the sagas of an order can't be read");
                "the sagas can't be read now".to_owned()
            })?;
            let summary = |saga: saga_orchestrator::SagaSummary| Summary {
                id: saga.id,
                kind: saga.kind,
                state: saga.state,
            };
            Ok(sagas.into_iter().map(summary).collect())
        })
    };
    jetstream::serve(client, names, SERVICE, answer, stop).await;
}

/// The orchestrator, as the query side sees it.
pub(super) struct AskedStates {
    client: Client,
    names: Names,
    silence: Silence,
}

/// Whether it may be asked. After a question that was not answered nobody asks for a while; then one does, and the others when that
/// one is answered.
#[derive(Debug, Default)]
struct Silence(Mutex<Option<Instant>>);

impl Silence {
    fn may_ask(&self) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match *until {
            None => true,
            Some(moment) if now < moment => false,
            Some(_) => {
                *until = Some(now + PATIENCE + PAUSE);
                true
            }
        }
    }

    /// A question had an answer; or none in time.
    fn had(&self, answer: bool) {
        let until = (!answer).then(|| Instant::now() + PAUSE);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl AskedStates {
    pub(super) fn new(client: Client, names: Names) -> Self {
        Self { client, names, silence: Silence::default() }
    }
}

impl SagaStates for AskedStates {
    fn of_order<'a>(&'a self, order_id: &'a OrderId) -> BoxFuture<'a, Vec<SagaSummary>> {
        Box::pin(async move {
            if !self.silence.may_ask() {
                return Vec::new();
            }
            let question = Question { order_id: order_id.clone() };
            let asked = jetstream::ask::<_, Vec<Summary>>(
                &self.client,
                &self.names,
                SERVICE,
                &question,
                PATIENCE,
            );
            let asked = asked.await;
            self.silence.had(!matches!(asked, Err(AskError::Silent)));
            let sagas = asked.unwrap_or_else(|error| {
                tracing::debug!(%error, "the sagas of an order can't be asked for");
                Vec::new()
            });
            let summary =
                |saga: Summary| SagaSummary { id: saga.id, kind: saga.kind, state: saga.state };
            sagas.into_iter().map(summary).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn took(states: &AskedStates) -> Duration {
        let begun = Instant::now();
        assert!(states.of_order(&OrderId::parse("o1").unwrap()).await.is_empty());
        begun.elapsed()
    }

    #[tokio::test]
    async fn one_that_hangs_holds_up_a_read_and_not_every_read() {
        let Some(nats) = test_servers::nats() else { return };
        let client = async_nats::connect(nats.url()).await.unwrap();
        // Questions are taken, and nobody answers: as those to a process that is paused.
        let _hangs = client.subscribe(format!("docket.ask.{SERVICE}")).await.unwrap();
        client.flush().await.unwrap();
        let states = AskedStates::new(client.clone(), Names::default());
        assert!(took(&states).await >= PATIENCE);
        for _ in 0..20 {
            assert!(took(&states).await < PATIENCE / 2);
        }
    }

    #[tokio::test]
    async fn while_nats_is_away_no_read_waits() {
        let Some(mut nats) = test_servers::nats() else { return };
        let client = async_nats::connect(nats.url()).await.unwrap();
        nats.stop().unwrap();
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while client.connection_state() == async_nats::connection::State::Connected {
            looks.tick().await;
        }
        let states = AskedStates::new(client, Names::default());
        for _ in 0..5 {
            assert!(took(&states).await < PATIENCE / 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_while_one_asks_and_the_others_when_that_one_is_answered() {
        let silence = Silence::default();
        assert!(silence.may_ask() && silence.may_ask());
        silence.had(false);
        assert!(!silence.may_ask());
        tokio::time::advance(PAUSE).await;
        assert_eq!([silence.may_ask(), silence.may_ask()], [true, false]);
        silence.had(true);
        assert!(silence.may_ask() && silence.may_ask());
    }
}

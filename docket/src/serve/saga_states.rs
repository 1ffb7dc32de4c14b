//! The sagas of an order, asked from the orchestrator.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use domain::ids::{OrderId, SagaId};
use domain::sagas::{SagaKind, SagaState};
use futures::future::BoxFuture;
use messaging::jetstream::{self, Names};
use projection_service::{SagaStates, SagaSummary};
use saga_orchestrator::Orchestrator;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// What is asked.
const SERVICE: &str = "sagas-of-order";
/// How long an answer may take: without it, what events tell is shown.
const PATIENCE: Duration = Duration::from_secs(1);

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
}

impl AskedStates {
    pub(super) fn new(client: Client, names: Names) -> Self {
        Self { client, names }
    }
}

impl SagaStates for AskedStates {
    fn of_order<'a>(&'a self, order_id: &'a OrderId) -> BoxFuture<'a, Vec<SagaSummary>> {
        Box::pin(async move {
            let question = Question { order_id: order_id.clone() };
            let asked = jetstream::ask::<_, Vec<Summary>>(
                &self.client,
                &self.names,
                SERVICE,
                &question,
                PATIENCE,
            );
            let sagas = asked.await.unwrap_or_else(|error| {
                tracing::debug!(%error, "the sagas of an order can't be asked for");
                Vec::new()
            });
            let summary =
                |saga: Summary| SagaSummary { id: saga.id, kind: saga.kind, state: saga.state };
            sagas.into_iter().map(summary).collect()
        })
    }
}

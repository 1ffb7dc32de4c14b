//! What operators do: retry, or resolve by what they settled by hand. A repeat of the same request gets the same answer.

use chrono::{DateTime, Utc};
use domain::ids::{OrderId, SagaId};
use domain::operations::OperatorAction;
use domain::payments::{ByHand, Settlement};
use domain::sagas::SagaActionError;
use domain::text::Reason;
use tokio::sync::oneshot;

use super::commit::ToSend;
use super::run::{RunError, Runner};
use super::work::{Cause, Work};
use crate::http::{ActedSaga, SagaItem};
use crate::storage::PastAction;
use crate::tables::{Rows as _, Tables};

/// An operator's action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make the failed step's next attempt now.
    Retry {
        /// Why, in the operator's words.
        reason: Reason,
    },
    /// What failed was settled by hand.
    Resolve {
        /// Whether money went another way.
        settlement: Settlement,
        /// How, in the operator's words.
        reason: Reason,
        /// When, by business time; now when absent.
        occurred_at: Option<DateTime<Utc>>,
    },
}

impl Action {
    /// What it is called in the log.
    pub(crate) fn recorded_as(&self) -> OperatorAction {
        match self {
            Self::Retry { .. } => OperatorAction::RetrySaga,
            Self::Resolve { .. } => OperatorAction::ResolveSaga,
        }
    }

    /// Why, in the operator's words.
    pub(crate) fn reason(&self) -> &Reason {
        match self {
            Self::Retry { reason } | Self::Resolve { reason, .. } => reason,
        }
    }
}

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    #[error("there is no such saga")]
    NotFound,
    #[error(transparent)]
    NotNow(#[from] SagaActionError),
    #[error("the key was used for `{request}`")]
    KeyReused {
        /// What was asked then, whole.
        request: String,
        /// When it was carried out.
        acted_at: DateTime<Utc>,
    },
    #[error("the orchestrator can't act now")]
    Unavailable,
}

/// An action on its way to the runner.
#[derive(Debug)]
pub(crate) struct ActionRequest {
    pub(crate) saga_id: SagaId,
    pub(crate) order_id: OrderId,
    pub(crate) action: Action,
    /// The idempotency key.
    pub(crate) key: String,
    /// What was asked, whole: what a repeat has to equal, and the audit.
    pub(crate) request: String,
    /// Gets the answer.
    pub(crate) reply: oneshot::Sender<Result<ActionAnswer, ActionError>>,
}

/// What an action is answered with.
#[derive(Debug)]
pub(crate) struct ActionAnswer {
    /// JSON text.
    pub(crate) body: String,
    /// Whether it is the stored answer of an earlier request with the same key.
    pub(crate) replayed: bool,
}

impl<T: Tables> Runner<T> {
    /// Carries an action out and answers. Only what went wrong with the database comes back.
    pub(super) async fn act(&mut self, request: ActionRequest) -> Result<(), RunError> {
        let mut connection = self.store.writer().await?;
        let past = connection.find_action(&request.key).await?;
        drop(connection);
        let answer = match past {
            Some((past, _)) if past.request == request.request => {
                Ok(ActionAnswer { body: past.answer, replayed: true })
            }
            Some((PastAction { request, .. }, acted_at)) => {
                Err(ActionError::KeyReused { request, acted_at })
            }
            None if !self.is_live() => Err(ActionError::Unavailable),
            None => {
                let answer = self.act_anew(&request).await?;
                answer.map(|body| ActionAnswer { body, replayed: false })
            }
        };
        // Whoever asked may have gone; what was done stays done.
        drop(request.reply.send(answer));
        Ok(())
    }

    async fn act_anew(
        &mut self,
        request: &ActionRequest,
    ) -> Result<Result<String, ActionError>, RunError> {
        let now = self.clock.now();
        let orders = self.take_orders(std::iter::once((&request.order_id, false))).await?;
        let mut work = Work { orders, ..Work::default() };
        let found = work.orders.get_mut(&request.order_id).and_then(|sagas| {
            let place = sagas.place_of(&request.saga_id)?;
            Some((sagas, place))
        });
        let Some((sagas, place)) = found else { return Ok(Err(ActionError::NotFound)) };
        let saga = sagas.touch(place);
        let wanted = match &request.action {
            Action::Retry { .. } => saga.retry(now, &self.settings.timeouts),
            Action::Resolve { settlement, reason, occurred_at } => {
                let (settlement, reason) = (*settlement, reason.clone());
                let occurred_at = occurred_at.unwrap_or(now);
                let by_hand = ByHand { settlement, reason, occurred_at };
                saga.resolve(&by_hand, now, &self.settings.timeouts)
            }
        };
        let wanted = match wanted {
            Ok(wanted) => wanted.into_iter().map(|outgoing| (place, outgoing)).collect(),
            // Nothing changed, so nothing is written; the order's sagas are simply read again when they are needed.
            Err(error) => return Ok(Err(error.into())),
        };
        let answer = ActedSaga {
            saga: SagaItem::of_status(&saga.status),
            version: sagas.row(place).version + 1,
            position: self.checkpoint.position,
        };
        let answer = serde_json::to_string(&answer).map_err(RunError::bug)?;
        work.want(&request.order_id, wanted, Cause::Other).map_err(RunError::bug)?;
        let past = PastAction { request: request.request.clone(), answer: answer.clone() };
        work.action = Some((request.key.clone(), request.saga_id.to_string(), past));
        self.commit(work, ToSend::Now).await?;
        tracing::info!(saga.id = %request.saga_id, request = request.request, "an operator acted");
        Ok(Ok(answer))
    }
}

//! What the handlers share.

use axum::http::{HeaderName, HeaderValue};
use event_store::LogIdentity;
use service_kit::position::{self, PositionToken};
use service_kit::problem::{self, Code, Problem};
use storage::Database;
use tokio::sync::mpsc;

use crate::runner::ActionRequest;
use crate::storage::read_position;

/// The header that says how far the sagas were folded.
pub(super) type PositionHeader = [(HeaderName, HeaderValue); 1];

#[derive(Clone)]
pub(crate) struct Api {
    pub(super) database: Database,
    log: LogIdentity,
    pub(super) actions: mpsc::Sender<ActionRequest>,
}

impl Api {
    pub(crate) fn new(
        database: Database,
        log: LogIdentity,
        actions: mpsc::Sender<ActionRequest>,
    ) -> Self {
        Self { database, log, actions }
    }

    /// The position that an answer is at least as new as: to be read before the answer is.
    pub(super) async fn position(&self) -> Result<PositionHeader, Problem> {
        let position = read_position(self.database.reader()).await.map_err(failed)?;
        let token =
            PositionToken { log: self.log.log.to_string(), epoch: self.log.epoch, position };
        Ok([(position::HEADER, token.to_header())])
    }
}

/// The database could not answer.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
pub(super) fn failed(error: sqlx::Error) -> Problem {
    problem::internal(&error)
}

pub(super) fn not_found(id: &impl std::fmt::Display) -> Problem {
    Problem::from(Code::SagaNotFound).detail(format!("`{id}`"))
}

//! What the processor says, as the client gets it: one exhaustive match.

use axum::http::StatusCode;
use domain::refusal::Refusal;
use event_store::StoreError;
use event_store::keys::SealError;
use service_kit::problem::{Code, Problem, ProblemBody, internal};

use super::app::App;
use crate::processor::ExecuteError;

/// Seconds until a client should come again.
const RETRY_AFTER_SECONDS: u32 = 1;

/// What a client is told whose data can't be sealed.
pub(super) const KEYS_AWAY: &str = "the store of people's keys does not answer";

impl App {
    /// The problem of a command that has no outcome.
    pub(super) fn problem(&self, error: ExecuteError) -> Problem {
        let in_vain = matches!(error, ExecuteError::Unavailable | ExecuteError::OutcomeUnknown);
        let problem = problem(error);
        if in_vain { self.with_trouble(problem) } else { problem }
    }

    /// The problem of a log that can't be read.
    pub(super) fn unreadable_log(&self, error: &StoreError) -> Problem {
        self.with_trouble(unreachable_store(error, "the event log does not answer"))
    }

    /// Says what keeps the log from its work, when more than patience is needed.
    fn with_trouble(&self, problem: Problem) -> Problem {
        match self.log.trouble() {
            Some(trouble) => problem.detail(trouble),
            None => problem,
        }
    }
}

/// The same, where nothing is known of the log.
pub(super) fn problem(error: ExecuteError) -> Problem {
    let again = |code: Code| Problem::from(code).retry_after(RETRY_AFTER_SECONDS);
    match error {
        ExecuteError::Refused(refusal) => refused(&refusal),
        ExecuteError::Busy => again(Code::Busy),
        ExecuteError::VersionMismatch { expected, current } => Problem::from(Code::VersionMismatch)
            .detail(format!("the version is {current}, not {expected}"))
            .with("current_version", current),
        // A client's command says more: see `reused`.
        ExecuteError::KeyReused => Code::IdempotencyKeyReused.into(),
        ExecuteError::EventTooLarge { event_type, size_bytes } => {
            Problem::from(Code::EventTooLarge)
                .detail(format!("the event {event_type} would have {size_bytes} bytes"))
        }
        ExecuteError::Overloaded => again(Code::Overloaded),
        ExecuteError::OutcomeUnknown => again(Code::OutcomeUnknown)
            .detail("the event log did not say in time what became of the command"),
        ExecuteError::Unavailable => again(Code::Unavailable)
            .detail("the event log does not take commands now; nothing was done"),
        ExecuteError::Stopped => {
            again(Code::Unavailable).detail("the command-service is ending; nothing was done")
        }
        error @ ExecuteError::Unreadable { .. } => {
            let said = error.to_string();
            Problem::from(Code::StreamUnreadable).detail(said.clone()).caused_by(said)
        }
        error @ ExecuteError::Broken => internal(&error),
    }
}

/// The problem of a refusal: 404 when what is addressed does not exist, else 422.
pub(super) fn refused(refusal: &Refusal) -> Problem {
    let status = if refusal.is_not_found() {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Problem::new(status, refusal.code(), refusal.title()).detail(refusal.to_string())
}

/// The problem of personal data that could not be sealed; `erased` says whose refusal it is.
pub(super) fn unsealed(error: SealError, erased: impl FnOnce() -> Refusal) -> Problem {
    match error {
        SealError::Erased => refused(&erased()),
        SealError::Store(error) => unreachable_store(&error, KEYS_AWAY),
        SealError::WrongMasterKey | SealError::Cipher => internal(&error),
    }
}

/// The problem of a store that can't be reached, in words that say which.
pub(super) fn unreachable_store(error: &StoreError, said: &'static str) -> Problem {
    tracing::warn!(error = ?error, "a store could not be reached");
    Problem::from(Code::Unavailable).retry_after(RETRY_AFTER_SECONDS).detail(said)
}

/// What every command may answer when it does not do what was asked.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Problems {
    /// Not a request that can be understood.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemBody),
    /// What is addressed does not exist.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemBody),
    /// Another command has to finish first.
    #[response(status = 409, content_type = "application/problem+json")]
    Busy(#[to_schema] ProblemBody),
    /// The version is another.
    #[response(status = 412, content_type = "application/problem+json")]
    VersionMismatch(#[to_schema] ProblemBody),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemBody),
    /// The body is not JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(#[to_schema] ProblemBody),
    /// A rule refuses it, or the key was used for another request.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(#[to_schema] ProblemBody),
    /// Try again after `Retry-After`, with the same key.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemBody),
}

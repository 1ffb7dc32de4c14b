//! The problems that groups of routes answer with, for `/openapi.json`.
//!
//! They only describe. What is answered is a [`Problem`](crate::problem::Problem).

use crate::problem::ProblemBody;

/// What a list may answer when it gives no page.
#[derive(utoipa::IntoResponses)]
pub enum ListProblems {
    /// A parameter can't be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemBody),
    /// `min_position` belongs to another history of the log.
    #[response(status = 409, content_type = "application/problem+json")]
    OtherHistory(#[to_schema] ProblemBody),
    /// `min_position` is not reached yet, or what is read can't be reached now: try again after `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    NotYet(#[to_schema] ProblemBody),
}

/// What a list may answer that is not of a read model, when it gives no page.
#[derive(utoipa::IntoResponses)]
pub enum PageProblems {
    /// A parameter can't be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemBody),
    /// What it is a list of is not there.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemBody),
    /// What is read can't be reached now: try again after `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemBody),
}

/// What the read of one thing may answer when it does not show it.
#[derive(utoipa::IntoResponses)]
pub enum ItemProblems {
    /// The id or a parameter can't be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemBody),
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemBody),
    /// `min_position` belongs to another history of the log.
    #[response(status = 409, content_type = "application/problem+json")]
    OtherHistory(#[to_schema] ProblemBody),
    /// `min_position` is not reached yet, or what is read can't be reached now: try again after `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    NotYet(#[to_schema] ProblemBody),
}

/// What an operator's action may answer when it is not carried out.
#[derive(utoipa::IntoResponses)]
pub enum ActionProblems {
    /// The key is missing, or the body can't be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemBody),
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemBody),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemBody),
    /// The body is not JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(#[to_schema] ProblemBody),
    /// It can't be done as things stand, or the key was used for another request.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(#[to_schema] ProblemBody),
    /// Try again after `Retry-After`, with the same key.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemBody),
}

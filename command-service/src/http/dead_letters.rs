//! `GET /dead-letters`, `GET /dead-letters/{id}`, `POST /dead-letters/{id}/replay`: messages of the command queue that
//! nobody could carry out.

use std::sync::Arc;

use access::Action;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use domain::command::Command;
use domain::given::Given;
use domain::ids::SubjectId;
use domain::operations::{OperatorAction, RecordAction};
use domain::text::{Label, Reason};
use messaging::commands::CommandMessage;
use messaging::record::RecordError;
use serde::{Deserialize, Serialize};
use service_kit::access::{Caller, Needs};
use service_kit::clock::Clock;
use service_kit::described::{KeyText, LongText, PathName};
use service_kit::extract::{JsonBody, PathParams, QueryParams};
use service_kit::idempotency;
use service_kit::page::{Page, PageParams, Paging};
use service_kit::problem::{Code, Problem, internal};
use service_kit::responses::PageProblems;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::{Problems, problem};
use crate::parking::{DeadLetter, DeadLetters};
use crate::participants::{NotReplayed, Participants};

/// Where letters are, and who carries them out.
#[derive(Clone)]
pub(crate) struct LetterDesk {
    pub(crate) letters: Option<Arc<DeadLetters>>,
    pub(crate) participants: Participants,
    pub(crate) clock: Clock,
}

pub(super) fn router(desk: LetterDesk) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_dead_letters).needs(Action::ReadDeadLetters))
        .routes(routes!(get_dead_letter).needs(Action::ReadDeadLetters))
        .routes(routes!(replay_dead_letter).needs(Action::ReplayDeadLetters))
        .with_state(desk)
}

impl LetterDesk {
    fn letters(&self) -> Result<&DeadLetters, Problem> {
        self.letters.as_deref().ok_or_else(|| Code::NotFound.into())
    }

    async fn find(&self, id: &str) -> Result<DeadLetter, Problem> {
        let found = self.letters()?.find(id).await.map_err(|error| unreachable(&error))?;
        found.ok_or_else(|| {
            Problem::from(Code::DeadLetterNotFound)
                .detail(format!("there is no dead letter `{id}`"))
        })
    }
}

impl LetterDesk {
    /// Says in the log that a letter is about to be replayed.
    async fn record(
        &self,
        letter: &DeadLetter,
        (key, actor): (&str, &str),
        reason: &Reason,
    ) -> Result<(), Problem> {
        let Some(subject) = SubjectId::of_dead_letter(&letter.id) else { return Ok(()) };
        let record = Command::from(RecordAction {
            subject,
            action: OperatorAction::ReplayDeadLetter,
            key: None,
            position: None,
            actor: Label::parse(actor).map_err(|error| internal(&error))?,
            reason: Some(reason.clone()),
        });
        let body = serde_json::to_string(&record).map_err(|error| internal(&error))?;
        let id = format!("operations/dead-letters/{}/{key}", letter.id);
        let message = CommandMessage::of_its_own(id, body, (self.clock)());
        self.participants.record_action(message).await.map_err(|error| match error {
            RecordError::IdReused => idempotency::reused(key, None),
            RecordError::Refused(_) => internal(&error),
            RecordError::Unavailable(_) => Problem::from(Code::Unavailable).retry_after(1),
        })
    }
}

fn unreachable(error: &sqlx::Error) -> Problem {
    tracing::warn!(%error, "the dead letters can't be reached");
    Problem::from(Code::Unavailable).retry_after(1)
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum LetterState {
    /// Nobody carried it out yet.
    Parked,
    /// It had its effect.
    Replayed,
}

/// A message of the command queue that nobody could carry out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DeadLetterItem {
    /// Its name.
    id: String,
    /// The id of the command, when it is one.
    command_id: Option<String>,
    /// What became of it.
    state: LetterState,
    /// Why nobody could carry it out.
    cause: String,
    /// Since when it is here.
    parked_at: DateTime<Utc>,
    /// When it was replayed.
    replayed_at: Option<DateTime<Utc>>,
    /// Why it was replayed.
    reason: Option<String>,
}

/// The same, with the message itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WholeDeadLetter {
    #[serde(flatten)]
    letter: DeadLetterItem,
    /// The message, as it came; personal data in it is sealed.
    message: String,
}

impl From<DeadLetter> for WholeDeadLetter {
    fn from(letter: DeadLetter) -> Self {
        let message = letter.body.clone();
        Self { letter: letter.into(), message }
    }
}

impl From<DeadLetter> for DeadLetterItem {
    fn from(letter: DeadLetter) -> Self {
        let replayed = letter.replayed_at.is_some();
        Self {
            id: letter.id,
            command_id: letter.command_id,
            state: if replayed { LetterState::Replayed } else { LetterState::Parked },
            cause: letter.cause,
            parked_at: letter.parked_at,
            replayed_at: letter.replayed_at,
            reason: letter.reason,
        }
    }
}

/// Which letters.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LettersQuery {
    /// Also those that were replayed.
    #[serde(default)]
    all: bool,
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    #[serde(default)]
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Dead letters, oldest first
///
/// They are not read from the log, so the answer has no `Docket-Position`.
#[utoipa::path(get, path = "/dead-letters", tag = "Dead letters", params(LettersQuery), responses(
    (status = 200, body = Page<DeadLetterItem>), PageProblems))]
async fn list_dead_letters(
    State(desk): State<LetterDesk>,
    QueryParams(query): QueryParams<LettersQuery>,
) -> Result<Json<Page<DeadLetterItem>>, Problem> {
    let page = PageParams { limit: query.limit, cursor: query.cursor };
    let paging = Paging::parse(&page, "dead-letters", &query.all)?;
    let after = paging.after.unwrap_or_default();
    let letters = desk.letters()?.page(after, query.all, paging.one_more()).await;
    let letters = letters.map_err(|error| unreachable(&error))?;
    let Page { items, next } = paging.cut(letters, |letter| letter.number);
    Ok(Json(Page { items: items.into_iter().map(DeadLetterItem::from).collect(), next }))
}

/// A dead letter with its message
#[utoipa::path(get, path = "/dead-letters/{id}", tag = "Dead letters", params(("id" = inline(PathName), Path)),
    responses((status = 200, body = WholeDeadLetter), PageProblems))]
async fn get_dead_letter(
    State(desk): State<LetterDesk>,
    PathParams(id): PathParams<String>,
) -> Result<Json<WholeDeadLetter>, Problem> {
    Ok(Json(desk.find(&id).await?.into()))
}

/// Why a letter is replayed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "this version understands it" }))]
struct ReplayBody {
    /// Why, in a person's words, kept with the letter; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    reason: Given<Reason>,
}

/// Carry a dead letter out, now that its cause is gone
///
/// It has its effect once, however often it is asked for: one that was replayed is answered as it is. What is refused, or
/// still not understood, stays as it was.
#[utoipa::path(post, path = "/dead-letters/{id}/replay", tag = "Dead letters",
    params(("id" = inline(PathName), Path),
        ("Idempotency-Key" = inline(KeyText), Header, description = "As every command has it; the letter itself is what is done once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = ReplayBody,
    responses((status = 200, body = DeadLetterItem), Problems))]
#[tracing::instrument(skip_all, fields(letter.id = %id))]
async fn replay_dead_letter(
    State(desk): State<LetterDesk>,
    PathParams(id): PathParams<String>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(ReplayBody { reason }): JsonBody<ReplayBody>,
) -> Result<Json<DeadLetterItem>, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let letter = desk.find(&id).await?;
    if letter.replayed_at.is_none() {
        desk.record(&letter, (&*key, &*actor), reason.get()).await?;
        desk.participants.replay(&letter.body).await.map_err(|error| match error {
            NotReplayed::Unreadable(cause) => {
                let told = format!("it can't be understood by this version either: {cause}");
                Problem::from(Code::DeadLetterUnreadable).detail(told)
            }
            NotReplayed::Refused(error) => problem(error),
        })?;
        let told = desk.letters()?.replayed(&id, reason.get().as_str()).await;
        told.map_err(|error| unreachable(&error))?;
        tracing::info!(reason = reason.get().as_str(), "a dead letter was replayed");
    }
    Ok(Json(desk.find(&id).await?.into()))
}

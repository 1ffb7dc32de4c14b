//! `POST /mails/{id}/resend`, `POST /mails/resend`

use axum::Json;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use domain::given::Given;
use domain::ids::SubjectId;
use domain::operations::OperatorAction;
use domain::text::Reason;
use serde::{Deserialize, Serialize};
use service_kit::access::Caller;
use service_kit::business_time::BusinessTime;
use service_kit::described::{KeyText, LongText};
use service_kit::extract::{JsonBody, PathParams};
use service_kit::problem::{Code, Problem};
use service_kit::responses::ActionProblems;
use utoipa::ToSchema;

use super::api::{Api, Asked, failed};
use super::change_webhook::WhyChanged;
use super::mail_answers::MailItem;
use super::mails::mail;
use super::once::{Done, Once, again};
use crate::storage::{self as tables, MAIL};

/// Sends a mail again
///
/// It goes to the address that the customer has now, with the same `Message-ID`. What waits for its time is tried at once.
#[utoipa::path(post, path = "/mails/{id}/resend", tag = "Mails",
    params(("id" = i64, Path, minimum = 1),
        ("Idempotency-Key" = inline(KeyText), Header, description = "Under the same key it is sent again once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = WhyChanged,
    responses((status = 200, body = MailItem),
        (status = 409, description = "Customers get no mail here", content_type = "application/problem+json", body = service_kit::problem::ProblemBody),
        ActionProblems))]
pub(super) async fn resend_mail(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<i64>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(WhyChanged { reason }): JsonBody<WhyChanged>,
) -> Result<Response, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let once = Once::of(&key, &(OperatorAction::ResendMail, id, reason.get()))?;
    let _turn = api.turn().await;
    let mut reader = api.reader().await?;
    mail(&mut reader, id).await?;
    if let Some(answer) = api.answered(&mut reader, &once).await? {
        return Ok(again(Json(answer)));
    }
    drop(reader);
    let asked = Asked { key: &key, actor: &actor, reason: reason.get() };
    api.record_resending(SubjectId::of_mail(id), asked).await?;
    let mut transaction = api.begin().await?;
    let due = tables::redeliver(&mut transaction, (MAIL, id), &key, (api.clock)()).await;
    due.map_err(failed)?;
    let item = MailItem::of(mail(&mut transaction, id).await?, api.mailer.as_ref());
    let done = Done { answer: &item, endpoint_id: None, is_in_log: true };
    api.keep_done(&mut transaction, &once, done).await?;
    api.commit(transaction).await?;
    Ok(Json(item).into_response())
}

/// What is sent again, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "since": "2026-11-30T00:00:00Z", "reason": "the mail server was down over the weekend" }))]
pub(super) struct ResendFailed {
    /// What came since then; it is kept for 30 days.
    since: BusinessTime,
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    reason: Given<Reason>,
}

/// How much is sent again
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Resent {
    /// Mails that wait again.
    resent: u64,
}

/// Sends again all mails that were given up
#[utoipa::path(post, path = "/mails/resend", tag = "Mails",
    params(("Idempotency-Key" = inline(KeyText), Header, description = "Under the same key each is sent again once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = ResendFailed,
    responses((status = 200, body = Resent),
        (status = 409, description = "Customers get no mail here", content_type = "application/problem+json", body = service_kit::problem::ProblemBody),
        ActionProblems))]
pub(super) async fn resend_failed_mails(
    Shared(api): Shared<Api>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(ResendFailed { since, reason }): JsonBody<ResendFailed>,
) -> Result<Response, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let request = (OperatorAction::ResendMail, since.get(), reason.get());
    let once = Once::of(&key, &request)?;
    let _turn = api.turn().await;
    if let Some(answer) = api.answered(&mut api.reader().await?, &once).await? {
        return Ok(again(Json(answer)));
    }
    let asked = Asked { key: &key, actor: &actor, reason: reason.get() };
    api.record_resending(SubjectId::of_failed_mails(), asked).await?;
    let (mut transaction, now) = (api.begin().await?, (api.clock)());
    let due = tables::redeliver_failed(&mut transaction, MAIL, since.get(), &key, now).await;
    let resent = Resent { resent: due.map_err(failed)? };
    let done = Done { answer: &resent, endpoint_id: None, is_in_log: true };
    api.keep_done(&mut transaction, &once, done).await?;
    api.commit(transaction).await?;
    Ok(Json(resent).into_response())
}

impl Api {
    /// Says in the log that mails are about to be sent again, where any are sent.
    async fn record_resending(&self, subject: SubjectId, asked: Asked<'_>) -> Result<(), Problem> {
        if self.mailer.is_none() {
            let told = "customers get no mail here: `mail_server` is not set";
            return Err(Problem::from(Code::NoMailServer).detail(told));
        }
        self.record_about((subject, None), OperatorAction::ResendMail, asked).await
    }
}

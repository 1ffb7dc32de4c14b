//! `POST /notices/{id}/read`, `POST /notices/read`
//!
//! **Invariant:** what staff mark in a customer's stead is in the log before, with who and why. What customers read of their own, and
//! what their shop's programs say that they read, is nobody's action.

use access::Known;
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
use service_kit::described::{KeyText, LongText, PathName};
use service_kit::extract::{JsonBody, PathParams};
use service_kit::operator;
use service_kit::problem::{Code, Problem};
use service_kit::responses::ActionProblems;
use utoipa::ToSchema;

use super::api::{Api, Asked, failed};
use super::notices::{NoticeItem, not_found, notice, whose};
use super::once::{Done, Once, again};
use crate::storage as tables;

/// Why a notice is marked, where it is another's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "read out on the telephone" }))]
pub(super) struct MarkNotice {
    /// Why, in a person's words; no personal data: it is kept when a person is erased. Operators have to say it, and it stands in the
    /// log; a customer says none.
    #[serde(default)]
    #[schema(value_type = Option<LongText>)]
    reason: Option<Given<Reason>>,
}

/// Marks a notice as read
///
/// One that is read stays so: again changes nothing.
#[utoipa::path(post, path = "/notices/{id}/read", tag = "Notices",
    params(("id" = inline(PathName), Path),
        ("Idempotency-Key" = inline(KeyText), Header, description = "As every command has it; done twice it is done once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = MarkNotice,
    responses((status = 200, body = NoticeItem), ActionProblems))]
pub(super) async fn mark_notice(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(MarkNotice { reason }): JsonBody<MarkNotice>,
) -> Result<Response, Problem> {
    let mut reader = api.reader().await?;
    let found = notice(&mut reader, &id, &caller).await?;
    let key = caller.key(&headers)?;
    let why = why(&caller, reason)?;
    let once = Once::of(&key, &(OperatorAction::MarkNotices, &id, &why))?;
    // Since when it is read changes no more: it is the answer of the first time.
    if api.answered(&mut reader, &once).await?.is_some() {
        return Ok(again(Json(NoticeItem::of(found)?)));
    }
    drop(reader);
    let is_in_log = found.read_at.is_none() && why.is_some();
    if found.read_at.is_none() {
        api.record_marking((&caller, &headers), &found.customer_id, Some(&id), why).await?;
    }
    let mut transaction = api.begin().await?;
    // Nobody waits for others here: the same may have come twice at once.
    let repeated = api.answered(&mut transaction, &once).await?.is_some();
    if !repeated {
        tables::mark_read(&mut transaction, &id, (api.clock)()).await.map_err(failed)?;
        let done = Done { answer: &(), endpoint_id: None, is_in_log };
        api.keep_done(&mut transaction, &once, done).await?;
    }
    let item = Json(NoticeItem::of(notice(&mut transaction, &id, &caller).await?)?);
    transaction.commit().await.map_err(failed)?;
    Ok(if repeated { again(item) } else { item.into_response() })
}

/// Which notices are read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "customer_id": "17850", "reason": "read out on the telephone" }))]
pub(super) struct MarkNotices {
    /// The customer. Whoever is one with a token marks their own, and need not say it; everybody else has to.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = r"^(?!\.\.?$)[^/\x00-\x1f\x7f-\x9f]+$")]
    customer_id: Option<String>,
    /// The newest that is read: those that came after it are not; all of them when absent.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    up_to: Option<String>,
    /// Why, in a person's words; no personal data: it is kept when a person is erased. Operators have to say it, and it stands in the
    /// log; a customer says none.
    #[serde(default)]
    #[schema(value_type = Option<LongText>)]
    reason: Option<Given<Reason>>,
}

/// How many were not read before
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Marked {
    /// Notices.
    marked: u64,
}

/// Marks all of a customer's notices as read, or those up to one
#[utoipa::path(post, path = "/notices/read", tag = "Notices",
    params(("Idempotency-Key" = inline(KeyText), Header, description = "As every command has it; done twice it is done once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = MarkNotices,
    responses((status = 200, body = Marked), ActionProblems))]
pub(super) async fn mark_notices(
    Shared(api): Shared<Api>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(MarkNotices { customer_id, up_to, reason }): JsonBody<MarkNotices>,
) -> Result<Response, Problem> {
    let key = caller.key(&headers)?;
    let customer_id = whose(&caller, customer_id.as_deref(), Code::InvalidBody)?;
    let why = why(&caller, reason)?;
    let once = Once::of(&key, &(OperatorAction::MarkNotices, customer_id, &up_to, &why))?;
    let mut reader = api.reader().await?;
    if let Some(answer) = api.answered(&mut reader, &once).await? {
        return Ok(again(Json(answer)));
    }
    let newest = match &up_to {
        Some(id) => {
            let newest = notice(&mut reader, id, &caller).await?;
            if newest.customer_id != customer_id {
                return Err(not_found(id));
            }
            newest.number
        }
        None => i64::MAX,
    };
    drop(reader);
    let is_in_log = why.is_some();
    api.record_marking((&caller, &headers), customer_id, up_to.as_deref(), why).await?;
    let (mut transaction, now) = (api.begin().await?, (api.clock)());
    // As above.
    if let Some(answer) = api.answered(&mut transaction, &once).await? {
        return Ok(again(Json(answer)));
    }
    let marked = tables::mark_all_read(&mut transaction, customer_id, newest, now).await;
    let marked = Marked { marked: marked.map_err(failed)? };
    let done = Done { answer: &marked, endpoint_id: None, is_in_log };
    api.keep_done(&mut transaction, &once, done).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(Json(marked).into_response())
}

/// Why it is done, which is to be recorded: staff who mark another's have to say it, and customers are not asked.
fn why(caller: &Caller, said: Option<Given<Reason>>) -> Result<Option<Reason>, Problem> {
    let said = said.map(|reason| reason.value());
    if caller.confined_to().is_some() {
        let told = "is not kept of what is one's own: leave it out";
        return match said {
            Some(_) => Err(Problem::from(Code::InvalidBody).mistake("/reason", told)),
            None => Ok(None),
        };
    }
    if caller.known().is_some_and(Known::is_staff) {
        return operator::why(said).map(Some);
    }
    Ok(said)
}

impl Api {
    /// Says in the log that a customer's notices are about to be marked, where somebody says why.
    async fn record_marking(
        &self,
        (caller, headers): (&Caller, &HeaderMap),
        customer_id: &str,
        notice: Option<&str>,
        why: Option<Reason>,
    ) -> Result<(), Problem> {
        let Some(reason) = why else { return Ok(()) };
        let (key, actor) = (caller.key(headers)?, caller.actor(headers)?);
        let subject = SubjectId::of_notices(customer_id)
            .ok_or_else(|| not_found(notice.unwrap_or(customer_id)))?;
        let asked = Asked { key: &key, actor: &actor, reason: &reason };
        self.record_about((subject, notice), OperatorAction::MarkNotices, asked).await
    }
}

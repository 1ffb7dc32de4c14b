//! `POST /webhooks`

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::given::Given;
use domain::operations::OperatorAction;
use domain::text::{Label, Reason};
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::described::{KeyText, LongText, ShortText};
use service_kit::extract::JsonBody;
use service_kit::idempotency;
use service_kit::operator;
use service_kit::problem::{self, Code, Problem};
use service_kit::responses::ActionProblems;
use utoipa::ToSchema;

use super::answers::{WebhookItem, WebhookWithSecret};
use super::api::{Api, Asked, failed, not_found};
use super::once::{Done, Once, again};
use crate::storage as tables;
use crate::webhooks::{Endpoint, EndpointState, Filter, Secret, Secrets, parse_url};

/// The most webhooks there may be: each has room of its own.
const MOST: usize = 50;
/// The most types that one may name.
const MOST_TYPES: usize = 100;

/// Who wants to be told, and of what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "url": "https://shop.example/hooks/docket", "events": ["order.*", "payment.refunded"], "reason": "the warehouse is told of orders" }))]
pub(super) struct NewWebhook {
    /// Where events are posted: `https`, or `http` in a network that the settings list.
    #[schema(min_length = 1, max_length = 2000)]
    url: String,
    /// Types such as `order.placed`, and groups such as `order.*`; all of them when absent or empty.
    #[serde(default)]
    #[schema(max_items = 100)]
    events: Vec<String>,
    /// What it is, for those who look later; no personal data.
    #[serde(default)]
    #[schema(value_type = Option<ShortText>)]
    description: Option<Given<Label>>,
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    // Not said in a request of before that is repeated: that has its answer.
    #[serde(default)]
    #[schema(value_type = LongText, required)]
    reason: Option<Given<Reason>>,
}

/// Has somebody told of public events, from now on
///
/// The answer tells the secret that signs what is sent, after Standard Webhooks; it is told nowhere else.
#[utoipa::path(post, path = "/webhooks", tag = "Webhooks",
    params(
        ("Idempotency-Key" = inline(KeyText), Header, description = "A repeat with the same key gets the same answer, with the secret as long as it signs"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent"),
    ),
    request_body = NewWebhook,
    responses((status = 201, description = "The webhook, with its secret", body = WebhookWithSecret),
        (status = 409, description = "There are as many as there may be", content_type = "application/problem+json", body = service_kit::problem::ProblemBody),
        ActionProblems))]
pub(super) async fn register_webhook(
    Shared(api): Shared<Api>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(wanted): JsonBody<NewWebhook>,
) -> Result<Response, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let request = wanted.request();
    let reason = wanted.reason.as_ref().map(Given::get).cloned();
    let once = Once::of(&key, &(OperatorAction::RegisterWebhook, &request, &reason))?;
    let id = id_of(&key);
    if let Some(repeated) = repeated(&api, (&id, &key), &once, &request).await? {
        return Ok(repeated);
    }
    let reason = operator::why(reason)?;
    let endpoint = checked(&api, wanted, &id, &key, request).await?;
    let _turn = api.turn().await;
    // The same may have come twice at once.
    if let Some(repeated) = repeated(&api, (&id, &key), &once, &endpoint.request).await? {
        return Ok(repeated);
    }
    if api.book.endpoints().len() >= MOST {
        let told = format!("there are {MOST} webhooks; delete one that nobody needs any more");
        return Err(Problem::from(Code::TooManyWebhooks).detail(told));
    }
    let asked = Asked { key: &key, actor: &actor, reason: &reason };
    api.record((&id, None), OperatorAction::RegisterWebhook, asked).await?;
    let endpoint =
        Endpoint { since: Some(*api.feed.head().borrow()), created_at: (api.clock)(), ..endpoint };
    let mut transaction = api.begin().await?;
    let kept = tables::insert_endpoint(&mut transaction, &endpoint, api.book.sealing()).await;
    kept.map_err(failed)?;
    let webhook = WebhookItem::from(&api.find_in(&mut transaction, &id).await?);
    let done = Done { answer: &webhook, endpoint_id: Some(&id), is_in_log: true };
    api.keep_done(&mut transaction, &once, done).await?;
    api.commit(transaction).await?;
    Ok(answer(WebhookWithSecret::new(webhook, &endpoint.secrets.current)))
}

impl NewWebhook {
    /// What is asked, in words that are the same for the same.
    fn request(&self) -> String {
        let description = self.description.as_ref().map(|text| text.get().as_str());
        serde_json::json!([self.url, self.events, description]).to_string()
    }
}

/// The answer of when it was registered before.
async fn repeated(
    api: &Api,
    (id, key): (&str, &str),
    once: &Once<'_>,
    request: &str,
) -> Result<Option<Response>, Problem> {
    let known = known(api, id).await?;
    let first = api.answered(&mut api.reader().await?, once).await?;
    let Some(known) = known else { return Ok(None) };
    let webhook = match first {
        Some(first) => {
            serde_json::from_str(first.get()).map_err(|error| problem::internal(&error))?
        }
        // Registered before answers were kept.
        None if known.request == request => WebhookItem::from(&known),
        None => return Err(idempotency::reused(key, Some("to register another webhook"))),
    };
    let webhook = WebhookWithSecret::again(webhook, &known, key, (api.clock)());
    Ok(Some(again(answer(webhook))))
}

/// What was registered under the same key.
async fn known(api: &Api, id: &str) -> Result<Option<Endpoint>, Problem> {
    let mut reader = api.reader().await?;
    let known = tables::find_endpoint(&mut reader, api.book.sealing(), id).await;
    let known = known.map_err(failed)?;
    if known.is_none() && tables::is_deleted(&mut reader, id).await.map_err(failed)? {
        return Err(not_found(id));
    }
    Ok(known)
}

/// The endpoint that is wanted, if there can be one. Nobody has to wait for it: a name may take long to be resolved.
async fn checked(
    api: &Api,
    wanted: NewWebhook,
    id: &str,
    key: &str,
    request: String,
) -> Result<Endpoint, Problem> {
    let url = parse_url(&wanted.url)
        .map_err(|wrong| Problem::from(Code::InvalidBody).mistake("/url", wrong.to_string()))?;
    let events = Problem::from(Code::InvalidBody);
    if wanted.events.len() > MOST_TYPES {
        return Err(events.mistake("/events", format!("names at most {MOST_TYPES} types")));
    }
    let filter = Filter::parse(wanted.events)
        .map_err(|wrong| events.mistake("/events", wrong.to_string()))?;
    if let Err(refused) = api.sender.check(&url).await {
        return Err(Problem::from(Code::WebhookRefused).mistake("/url", refused.to_string()));
    }
    let current = Secret::draw().map_err(|error| problem::internal(&error))?;
    Ok(Endpoint {
        number: 0,
        id: id.to_owned(),
        url,
        filter,
        description: wanted.description.map(|text| text.get().as_str().to_owned()),
        state: EndpointState::Enabled,
        secrets: Secrets {
            current,
            previous: None,
            drawn_by: key.to_owned(),
            previous_drawn_by: None,
        },
        since: Some(*api.feed.head().borrow()),
        created_at: (api.clock)(),
        failing_since: None,
        request,
    })
}

fn answer(webhook: WebhookWithSecret) -> Response {
    (StatusCode::CREATED, Json(webhook)).into_response()
}

/// The id of what is registered under a key: so a repeat finds it.
fn id_of(key: &str) -> String {
    let hash = digest(&SHA256, format!("webhook/{key}").as_bytes());
    format!("wh_{}", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..12]))
}

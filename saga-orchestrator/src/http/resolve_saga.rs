//! `POST /sagas/{id}/resolve`

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::given::Given;
use domain::payments::Settlement;
use domain::text::Reason;
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::business_time::BusinessTime;
use service_kit::described::{KeyText, LongText, PathName};
use service_kit::extract::{JsonBody, PathParams};
use service_kit::problem::Problem;
use service_kit::responses::ActionProblems;
use utoipa::ToSchema;

use super::act::request;
use super::answers::ActedSaga;
use super::api::Api;
use crate::runner::Action;

/// How what failed was settled by hand.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[schema(as = Settlement)]
#[serde(rename_all = "snake_case")]
pub(super) enum HowSettled {
    /// The money went another way: by bank transfer, in cash, at the provider's own desk.
    #[default]
    Elsewhere,
    /// No money moves: the claim is given up, or the hold is left to lapse.
    Waived,
}

impl From<HowSettled> for Settlement {
    fn from(how: HowSettled) -> Self {
        match how {
            HowSettled::Elsewhere => Self::Elsewhere,
            HowSettled::Waived => Self::Waived,
        }
    }
}

/// How what failed was settled by hand, for those who look later.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "paid by bank transfer", "settlement": "elsewhere" }))]
pub(super) struct ResolveSaga {
    /// How it was settled, in a person's words; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    reason: Given<Reason>,
    /// Whether money went another way; `elsewhere` when absent.
    #[serde(default)]
    settlement: HowSettled,
    /// When it was settled, as business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Goes on past what the payment provider would not do, because a person settled it by hand.
///
/// It stands for a capture, a refund or a void that failed: the payment gets a `PaymentSettledByHand` with the amount, whether the
/// money went another way (`elsewhere`) or is given up (`waived`), and the reason; nothing is captured or refunded by it. Then the
/// saga goes on to its end: what is held for a parcel that was settled is given back, later parcels are followed, a return is
/// stocked, an order whose parcels have arrived is completed. Every step of the saga that failed is settled by it.
///
/// Anything else is refused with `saga_not_resolvable`, which says what to do instead: an outcome that is unknown is asked for
/// until the provider tells, and what the platform does itself is retried.
#[utoipa::path(post, path = "/sagas/{id}/resolve", tag = "Sagas",
    params(
        ("id" = inline(PathName), Path, description = "The saga"),
        ("Idempotency-Key" = inline(KeyText), Header, description = "A repeat with the same key gets the same answer"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent"),
    ),
    request_body = ResolveSaga,
    responses(
        (status = 200, description = "The saga as it is now", body = ActedSaga, headers(
            ("ETag" = String, description = "The version, in quotes"),
            ("Docket-Position" = String, description = "The position that the action was based on, as a token"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` when it is the stored answer of an earlier request with the same key"),
        )),
        ActionProblems,
    )
)]
pub(super) async fn resolve_saga(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(ResolveSaga { reason, settlement, occurred_at }): JsonBody<ResolveSaga>,
) -> Result<Response, Problem> {
    let (settlement, reason) = (Settlement::from(settlement), reason.value());
    let words = match settlement {
        Settlement::Elsewhere => format!("resolve {id}: {reason}"),
        Settlement::Waived => format!("resolve {id}, waived: {reason}"),
    };
    let request = request(&caller, words, occurred_at)?;
    let occurred_at = occurred_at.map(BusinessTime::get);
    let action = Action::Resolve { settlement, reason, occurred_at };
    api.act((&caller, &headers), &id, action, request).await
}

//! `GET /simulator/ledger`: the simulated provider's own book. For development.

use access::Action;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use service_kit::access::Needs;
use service_kit::extract::QueryParams;
use service_kit::page::{Page, PageParams, Paging};
use service_kit::problem::{Code, Problem};
use service_kit::responses::PageProblems;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::payments::simulator::{Ledger, LedgerEntry};

/// Without a ledger there is no simulated provider to look at.
pub(crate) fn router(ledger: Option<Ledger>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list_ledger).needs(Action::ReadLedger)).with_state(ledger)
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LedgerQuery {
    /// Of this payment only.
    #[serde(default)]
    #[param(min_length = 1, pattern = r"^[^\x00]+$")]
    payment_id: Option<String>,
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    #[serde(default)]
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// The simulated provider's ledger
///
/// For development. The ledger is the provider's own book and not read from the log, so the answer has no `Docket-Position`.
#[utoipa::path(get, path = "/simulator/ledger", tag = "Simulator", params(LedgerQuery), responses(
    (status = 200, body = Page<LedgerEntry>), PageProblems))]
async fn list_ledger(
    State(ledger): State<Option<Ledger>>,
    QueryParams(query): QueryParams<LedgerQuery>,
) -> Result<Json<Page<LedgerEntry>>, Problem> {
    let page = PageParams { limit: query.limit, cursor: query.cursor };
    let paging = Paging::parse(&page, "ledger", &query.payment_id)?;
    let after = paging.after.unwrap_or_default();
    let Some(ledger) = ledger else { return Err(Code::NotFound.into()) };
    let read = ledger.page(query.payment_id.as_deref(), after, paging.to_read()).await;
    let entries = read.map_err(|error| {
        tracing::warn!(%error, "the simulated provider's ledger could not be read");
        Problem::from(Code::Unavailable).retry_after(1)
    })?;
    Ok(Json(paging.cut(entries, |entry| entry.number)))
}

//! The sagas as people look for them.

use chrono::{DateTime, Utc};
use domain::sagas::{Saga, SagaKind, SagaState};
use storage::{Connection, Query, Row};

use super::{from_word, instant, not_as_written, word};

/// Sagas after the `$1`th, oldest first, of a further condition.
macro_rules! list {
    ($further:literal) => {
        concat!(
            "SELECT number, id, kind, order_id, state, step, since FROM sagas WHERE number > $1",
            $further,
            " ORDER BY number LIMIT $2"
        )
    };
}

const ALL: &str = list!("");
const OF_STATE: &str = list!(" AND state = $3");
/// Nearly all are of this kind: the others are passed over.
const OF_ORDERS: &str = list!(" AND kind = 'order'");
const OF_ORDERS_AND_STATE: &str = list!(" AND state = $3 AND kind = 'order'");
/// Of a kind that is rare; the indexes of kinds hold nothing else.
const OF_KIND: &str = list!(" AND kind = $3 AND kind <> 'order'");
const OF_KIND_AND_STATE: &str = list!(" AND kind = $3 AND state = $4 AND kind <> 'order'");
/// An order has few.
const OF_ORDER: &str =
    list!(" AND order_id = $3 AND (state = $4 OR $4 IS NULL) AND (kind = $5 OR $5 IS NULL)");
const FIND: &str =
    "SELECT number, id, kind, order_id, state, step, since, data FROM sagas WHERE id = $1";

/// What to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListFilter {
    pub(crate) state: Option<SagaState>,
    pub(crate) kind: Option<SagaKind>,
    pub(crate) order_id: Option<String>,
}

/// A saga in a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListedSaga {
    /// Its place among all sagas, counted by their beginning.
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) kind: SagaKind,
    pub(crate) order_id: String,
    pub(crate) state: SagaState,
    pub(crate) step: String,
    pub(crate) since: DateTime<Utc>,
}

impl ListedSaga {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            number: row.try_get("number")?,
            id: row.try_get("id")?,
            kind: from_word(row.try_get("kind")?)?,
            order_id: row.try_get("order_id")?,
            state: from_word(row.try_get("state")?)?,
            step: row.try_get("step")?,
            since: instant(row.try_get("since")?)?,
        })
    }
}

/// At most `limit` sagas after the `after`th, oldest first.
pub(crate) async fn list_sagas(
    reader: &mut Connection,
    filter: &ListFilter,
    after: i64,
    limit: usize,
) -> Result<Vec<ListedSaga>, sqlx::Error> {
    let (state, kind) = (filter.state, filter.kind);
    let (state, kind) =
        (state.as_ref().map(word).transpose()?, kind.as_ref().map(word).transpose()?);
    let query = reader.query(statement(filter)).bind(after);
    let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let query = match (&filter.order_id, kind, state) {
        (Some(order_id), kind, state) => query.bind(order_id.as_str()).bind(state).bind(kind),
        (None, Some(kind), state) if is_rare(filter.kind) => bind_some(query.bind(kind), state),
        (None, _, state) => bind_some(query, state),
    };
    query.fetch_all().await?.iter().map(ListedSaga::read).collect()
}

fn bind_some(query: Query<'_>, value: Option<String>) -> Query<'_> {
    match value {
        Some(value) => query.bind(value),
        None => query,
    }
}

fn is_rare(kind: Option<SagaKind>) -> bool {
    match kind {
        Some(SagaKind::Cancellation | SagaKind::Return) => true,
        Some(SagaKind::Order) | None => false,
    }
}

/// The one that an index serves best.
fn statement(filter: &ListFilter) -> &'static str {
    let rare = is_rare(filter.kind);
    match (&filter.order_id, filter.kind, filter.state) {
        (Some(_), _, _) => OF_ORDER,
        (None, None, None) => ALL,
        (None, None, Some(_)) => OF_STATE,
        (None, Some(_), None) if rare => OF_KIND,
        (None, Some(_), Some(_)) if rare => OF_KIND_AND_STATE,
        (None, Some(_), None) => OF_ORDERS,
        (None, Some(_), Some(_)) => OF_ORDERS_AND_STATE,
    }
}

/// One saga, listed and whole.
pub(crate) async fn find_saga(
    reader: &mut Connection,
    id: &str,
) -> Result<Option<(ListedSaga, Saga)>, sqlx::Error> {
    let row = reader.query(FIND).bind(id).fetch_optional().await?;
    row.map(|row| {
        let data: String = row.try_get("data")?;
        let saga = serde_json::from_str(&data).map_err(not_as_written)?;
        Ok((ListedSaga::read(&row)?, saga))
    })
    .transpose()
}

/// Every saga of an order, in the order in which they began.
pub(crate) async fn summaries(
    reader: &mut Connection,
    order_id: &str,
) -> Result<Vec<ListedSaga>, sqlx::Error> {
    let filter = ListFilter { order_id: Some(order_id.to_owned()), ..ListFilter::default() };
    list_sagas(reader, &filter, 0, 10_000).await
}

//! The sagas as people look for them.

use chrono::{DateTime, Utc};
use domain::sagas::{Saga, SagaKind, SagaState};
use storage::{Connection, Row};

use super::{from_word, instant, not_as_written, word};

const LIST: &str = "SELECT number, id, kind, order_id, state, step, since FROM sagas
    WHERE number > $1 AND ($2 IS NULL OR state = $2) AND ($3 IS NULL OR kind = $3)
    ORDER BY number LIMIT $4";
const LIST_BY_STATE: &str = "SELECT number, id, kind, order_id, state, step, since FROM sagas
    WHERE number > $1 AND state = $2 AND ($3 IS NULL OR kind = $3)
    ORDER BY number LIMIT $4";
/// Of a kind that is rare; the indexes of kinds hold nothing else.
const LIST_BY_KIND: &str = "SELECT number, id, kind, order_id, state, step, since FROM sagas
    WHERE number > $1 AND ($2 IS NULL OR state = $2) AND kind = $3 AND kind <> 'order'
    ORDER BY number LIMIT $4";
const LIST_BY_KIND_AND_STATE: &str =
    "SELECT number, id, kind, order_id, state, step, since FROM sagas
    WHERE number > $1 AND state = $2 AND kind = $3 AND kind <> 'order'
    ORDER BY number LIMIT $4";
const LIST_BY_ORDER: &str = "SELECT number, id, kind, order_id, state, step, since FROM sagas
    WHERE number > $1 AND ($2 IS NULL OR state = $2) AND ($3 IS NULL OR kind = $3) AND order_id = $5
    ORDER BY number LIMIT $4";
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
    let query = reader
        .query(statement(filter))
        .bind(after)
        .bind(filter.state.map(|state| word(&state)).transpose()?)
        .bind(filter.kind.map(|kind| word(&kind)).transpose()?)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let query = match &filter.order_id {
        Some(order_id) => query.bind(order_id.as_str()),
        None => query,
    };
    query.fetch_all().await?.iter().map(ListedSaga::read).collect()
}

/// The one that an index serves best.
fn statement(filter: &ListFilter) -> &'static str {
    let is_rare = match filter.kind {
        Some(SagaKind::Cancellation | SagaKind::Return) => true,
        Some(SagaKind::Order) | None => false,
    };
    match (&filter.order_id, filter.state, is_rare) {
        (Some(_), _, _) => LIST_BY_ORDER,
        (None, Some(_), true) => LIST_BY_KIND_AND_STATE,
        (None, None, true) => LIST_BY_KIND,
        (None, Some(_), false) => LIST_BY_STATE,
        (None, None, false) => LIST,
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

#[cfg(test)]
mod tests {
    use storage::Location;

    use super::*;

    /// How SQLite finds what a list asks for; its plans do not change with what is in the tables.
    async fn plan(filter: &ListFilter) -> String {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::from(folder.path().join("sagas.db"));
        let store = crate::storage::open(&location).await.unwrap();
        let explain: &str = String::leak(format!("EXPLAIN QUERY PLAN {}", statement(filter)));
        let mut reader = store.reader().await.unwrap();
        let rows = reader.query(explain).fetch_all().await.unwrap();
        let steps = rows.iter().map(|row| row.try_get::<String, _>("detail").unwrap());
        steps.collect::<Vec<_>>().join("; ")
    }

    #[tokio::test]
    async fn every_list_is_read_in_its_order_from_an_index() {
        let of = |kind, state, order_id: Option<&str>| ListFilter {
            kind,
            state,
            order_id: order_id.map(str::to_owned),
        };
        let (rare, usual) = (Some(SagaKind::Return), Some(SagaKind::Order));
        let state = Some(SagaState::NeedsAttention);
        for (filter, index) in [
            (of(None, None, None), "INTEGER PRIMARY KEY (rowid>?)"),
            (of(usual, None, None), "INTEGER PRIMARY KEY (rowid>?)"),
            (of(None, state, None), "sagas_by_state (state=? AND rowid>?)"),
            (of(usual, state, None), "sagas_by_state (state=? AND rowid>?)"),
            (of(rare, None, None), "sagas_by_kind (kind=? AND rowid>?)"),
            (of(rare, state, None), "sagas_by_kind_and_state (kind=? AND state=? AND rowid>?)"),
            (of(rare, state, Some("o")), "sagas_by_order (order_id=? AND rowid>?)"),
        ] {
            let plan = plan(&filter).await;
            assert!(plan.ends_with(index), "{filter:?}: {plan}");
        }
    }
}

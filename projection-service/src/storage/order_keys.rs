//! The lists that orders stand in, newest first: what is read of them is keys, from an index that holds nothing else.
//!
//! **Invariant:** every statement is a range of an index, read in its order: no row is looked at that is not wanted, and
//! nothing is sorted. A list of several statuses, or of carts and orders, is merged from such ranges.

use storage::{Connection, Row, Sql};

use crate::folds::order_row::OrderStatus;

/// Where an order stands in a list: its time in microseconds, and its id.
pub type Key = (i64, String);

/// The first of the keys before ($1, $2), and not before the time $3.
macro_rules! first_of {
    ($keys:literal, $time:literal, $id:literal) => {
        concat!(
            $keys,
            " AND (",
            $time,
            ", ",
            $id,
            ") < ($1, $2) AND ",
            $time,
            " >= $3 ORDER BY ",
            $time,
            " DESC, ",
            $id,
            " DESC LIMIT $4"
        )
    };
}

/// The first of several lists. SQLite merges them as they are; PostgreSQL has to be told that each is in order and how much of it
/// is wanted at most.
macro_rules! merged {
    ($time:literal, $id:literal, $first:literal $(, $keys:literal)+) => {
        Sql::per_dialect(
            concat!(
                range!($first, $time, $id), $(" UNION ALL ", range!($keys, $time, $id),)+
                " ORDER BY ", $time, " DESC, ", $id, " DESC LIMIT $4"
            ),
            concat!(
                "(", first_of!($first, $time, $id), ")", $(" UNION ALL (", first_of!($keys, $time, $id), ")",)+
                " ORDER BY ", $time, " DESC, ", $id, " DESC LIMIT $4"
            ),
        )
    };
}

macro_rules! range {
    ($keys:literal, $time:literal, $id:literal) => {
        concat!($keys, " AND (", $time, ", ", $id, ") < ($1, $2) AND ", $time, " >= $3")
    };
}

const PLACED: Sql = merged!(
    "listed_at",
    "id",
    "SELECT listed_at, id FROM orders WHERE status = 'placed'",
    "SELECT listed_at, id FROM orders WHERE status = 'confirmed'",
    "SELECT listed_at, id FROM orders WHERE status = 'fulfilling'",
    "SELECT listed_at, id FROM orders WHERE status = 'completed'",
    "SELECT listed_at, id FROM orders WHERE status = 'on_hold'",
    "SELECT listed_at, id FROM orders WHERE status = 'rejected'",
    "SELECT listed_at, id FROM orders WHERE status = 'cancelled'"
);
const ALL: Sql = merged!(
    "listed_at",
    "id",
    "SELECT listed_at, id FROM orders WHERE status = 'placed'",
    "SELECT listed_at, id FROM orders WHERE status = 'confirmed'",
    "SELECT listed_at, id FROM orders WHERE status = 'fulfilling'",
    "SELECT listed_at, id FROM orders WHERE status = 'completed'",
    "SELECT listed_at, id FROM orders WHERE status = 'on_hold'",
    "SELECT listed_at, id FROM orders WHERE status = 'rejected'",
    "SELECT listed_at, id FROM orders WHERE status = 'cancelled'",
    "SELECT listed_at, id FROM orders WHERE status = 'draft'"
);
const PLACED_OF_CUSTOMER: Sql = merged!(
    "listed_at",
    "id",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'placed'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'confirmed'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'fulfilling'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'completed'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'on_hold'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'rejected'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'cancelled'"
);
const OF_CUSTOMER: Sql = merged!(
    "listed_at",
    "id",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'placed'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'confirmed'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'fulfilling'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'completed'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'on_hold'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'rejected'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'cancelled'",
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = 'draft'"
);
const OF_STATUS: &str =
    first_of!("SELECT listed_at, id FROM orders WHERE status = $5", "listed_at", "id");
const OF_CUSTOMER_AND_STATUS: &str = first_of!(
    "SELECT listed_at, id FROM orders WHERE customer_id = $5 AND status = $6",
    "listed_at",
    "id"
);
const OF_SKU: Sql = merged!(
    "listed_at",
    "order_id",
    "SELECT listed_at, order_id FROM order_skus WHERE sku = $5 AND draft = 0",
    "SELECT listed_at, order_id FROM order_skus WHERE sku = $5 AND draft = 1"
);
const PLACED_OF_SKU: &str = first_of!(
    "SELECT listed_at, order_id FROM order_skus WHERE sku = $5 AND draft = 0",
    "listed_at",
    "order_id"
);
const CARTS_OF_SKU: &str = first_of!(
    "SELECT listed_at, order_id FROM order_skus WHERE sku = $5 AND draft = 1",
    "listed_at",
    "order_id"
);

/// Which statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statuses {
    All,
    /// All but carts.
    Placed,
    One(OrderStatus),
}

/// A list: a statement with what it is about.
#[derive(Debug)]
pub(super) struct Keys<'w> {
    statement: Sql,
    about: Vec<&'w str>,
}

impl<'w> Keys<'w> {
    /// Those of these statuses, of all customers or of one.
    pub(super) fn of(statuses: Statuses, customer_id: Option<&'w str>) -> Self {
        let (statement, status) = match (statuses, customer_id) {
            (Statuses::All, None) => (ALL, None),
            (Statuses::Placed, None) => (PLACED, None),
            (Statuses::One(status), None) => (OF_STATUS.into(), Some(status)),
            (Statuses::All, Some(_)) => (OF_CUSTOMER, None),
            (Statuses::Placed, Some(_)) => (PLACED_OF_CUSTOMER, None),
            (Statuses::One(status), Some(_)) => (OF_CUSTOMER_AND_STATUS.into(), Some(status)),
        };
        let status = status.map(OrderStatus::as_str);
        Self { statement, about: customer_id.into_iter().chain(status).collect() }
    }

    /// Those with a line of this SKU, as far as they can have one of these statuses.
    pub(super) fn with_sku(statuses: Statuses, sku: &'w str) -> Self {
        let statement = match statuses {
            Statuses::All => OF_SKU,
            Statuses::One(OrderStatus::Draft) => CARTS_OF_SKU.into(),
            Statuses::Placed | Statuses::One(_) => PLACED_OF_SKU.into(),
        };
        Self { statement, about: vec![sku] }
    }

    /// At most `limit` keys after this one, and not before this time.
    pub(super) async fn page(
        &self,
        connection: &mut Connection,
        (time, id): &Key,
        from: i64,
        limit: i64,
    ) -> Result<Vec<Key>, sqlx::Error> {
        let query = connection.query(self.statement);
        let query = query.bind(*time).bind(id.as_str()).bind(from).bind(limit);
        let query = self.about.iter().fold(query, |query, about| query.bind(*about));
        query.fetch_all().await?.iter().map(key).collect()
    }
}

fn key(row: &Row) -> Result<Key, sqlx::Error> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_all_has_every_status() {
        let [first, ..] = ALL_STATUSES;
        // A status that is added breaks this match, and then has to be named above.
        match first {
            OrderStatus::Draft
            | OrderStatus::Placed
            | OrderStatus::Confirmed
            | OrderStatus::Fulfilling
            | OrderStatus::Completed
            | OrderStatus::OnHold
            | OrderStatus::Rejected
            | OrderStatus::Cancelled => {}
        }
        for status in ALL_STATUSES {
            let part = format!("status = '{}'", status.as_str());
            let has = |list: Sql| format!("{list:?}").matches(&part).count() == 2;
            assert!(has(ALL) && has(OF_CUSTOMER), "in both dialects: {part}");
            assert_eq!(has(PLACED), status != OrderStatus::Draft, "{part}");
            assert_eq!(has(PLACED_OF_CUSTOMER), status != OrderStatus::Draft, "{part}");
        }
    }

    const ALL_STATUSES: [OrderStatus; 8] = [
        OrderStatus::Draft,
        OrderStatus::Placed,
        OrderStatus::Confirmed,
        OrderStatus::Fulfilling,
        OrderStatus::Completed,
        OrderStatus::OnHold,
        OrderStatus::Rejected,
        OrderStatus::Cancelled,
    ];
}

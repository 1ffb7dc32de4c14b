//! The list of orders, newest first. Every filter has an index that serves it; the others narrow what it finds.

use chrono::{DateTime, Utc};
use storage::Connection;

use super::documents;
use super::orders::micros;
use crate::folds::order_row::{OrderRow, OrderStatus};

const BY_SKU: &str = "SELECT o.doc FROM order_skus s JOIN orders o ON o.id = s.order_id
    WHERE s.sku = $7 AND (s.listed_at, s.order_id) < ($1, $2) AND s.listed_at >= $3
        AND ($4 IS NULL OR o.status = $4) AND ($5 IS NULL OR o.customer_id = $5)
        AND ($6 OR o.status <> 'draft')
    ORDER BY s.listed_at DESC, s.order_id DESC LIMIT $8";
const BY_CUSTOMER: &str = "SELECT doc FROM orders
    WHERE customer_id = $5 AND (listed_at, id) < ($1, $2) AND listed_at >= $3
        AND ($4 IS NULL OR status = $4) AND ($6 OR status <> 'draft') AND $7 IS NULL
    ORDER BY listed_at DESC, id DESC LIMIT $8";
const BY_STATUS: &str = "SELECT doc FROM orders
    WHERE status = $4 AND (listed_at, id) < ($1, $2) AND listed_at >= $3
        AND ($6 OR status <> 'draft') AND $5 IS NULL AND $7 IS NULL
    ORDER BY listed_at DESC, id DESC LIMIT $8";
const BY_TIME: &str = "SELECT doc FROM orders
    WHERE (listed_at, id) < ($1, $2) AND listed_at >= $3 AND ($6 OR status <> 'draft')
        AND $4 IS NULL AND $5 IS NULL AND $7 IS NULL
    ORDER BY listed_at DESC, id DESC LIMIT $8";

/// Which orders are asked for; `None` asks for all.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Wanted {
    /// Those that stand here.
    pub status: Option<OrderStatus>,
    /// Those of this customer.
    pub customer_id: Option<String>,
    /// Those with a line of this SKU.
    pub sku: Option<String>,
    /// Those placed at this time or later.
    pub placed_from: Option<DateTime<Utc>>,
    /// Those placed before this time.
    pub placed_before: Option<DateTime<Utc>>,
}

/// Where a page ended: the last order's time in microseconds, and its id.
pub type Key = (i64, String);

/// The key of an order in the list.
pub fn key(row: &OrderRow) -> Key {
    (micros(row.listed_at()), row.id.as_str().to_owned())
}

/// At most `limit` of those wanted, after the order of this key.
pub async fn page(
    connection: &mut Connection,
    wanted: Wanted,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<OrderRow>, sqlx::Error> {
    let statement = match (&wanted.sku, &wanted.customer_id, wanted.status) {
        (Some(_), _, _) => BY_SKU,
        (None, Some(_), _) => BY_CUSTOMER,
        (None, None, Some(_)) => BY_STATUS,
        (None, None, None) => BY_TIME,
    };
    let carts_too = wanted.placed_from.is_none() && wanted.placed_before.is_none();
    let before = (wanted.placed_before.map_or(i64::MAX, micros), String::new());
    let (time, id) = after.map_or(before.clone(), |after| after.min(before));
    let query = connection
        .query(statement)
        .bind(time)
        .bind(id)
        .bind(wanted.placed_from.map_or(i64::MIN, micros))
        .bind(wanted.status.map(OrderStatus::as_str))
        .bind(wanted.customer_id)
        .bind(carts_too)
        .bind(wanted.sku)
        .bind(limit);
    documents::fetch(query).await
}

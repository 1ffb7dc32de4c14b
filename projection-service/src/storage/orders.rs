//! The tables of orders: a row an order with its list columns and its document, and an index of the SKUs in it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::event::Event;
use domain::inventory::ReservationEvent;
use domain::orders::OrderEvent;
use domain::payments::PaymentEvent;
use domain::shipping::ShipmentEvent;
use domain::stream::Stream;
use storage::{BulkStatement, Connection, Sql, one_of};

use super::documents;
use crate::folds::order_row::{OrderRow, OrderStatus};
use crate::folds::orders::fold;
use crate::folds::{FoldError, Seen};
use crate::model::{Definition, ReadModel, Table, Touched, names};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY,
    listed_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    customer_id TEXT,
    doc TEXT NOT NULL
) STRICT /* rewritten */";
/// Lists of several statuses are merged from their parts of it: an index without the status would be one more to write.
const BY_STATUS: &str =
    "CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status, listed_at, id)";
const BY_CUSTOMER: &str = "CREATE INDEX IF NOT EXISTS orders_by_customer
    ON orders (customer_id, status, listed_at, id) WHERE customer_id IS NOT NULL";
/// Of the status only whether it is a cart: that changes once in an order's life.
const SKUS: &str = "CREATE TABLE IF NOT EXISTS order_skus (
    sku TEXT NOT NULL,
    draft INTEGER NOT NULL,
    listed_at INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (sku, draft, listed_at, order_id)
) STRICT, WITHOUT ROWID";

const LOAD: Sql = one_of!("SELECT doc FROM orders WHERE id", "$1");
const FIND: &str = "SELECT doc FROM orders WHERE id = $1";
static UPSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO orders (id, listed_at, status, customer_id, doc)",
    5,
    "ON CONFLICT (id) DO UPDATE SET listed_at = excluded.listed_at, status = excluded.status,
        customer_id = excluded.customer_id, doc = excluded.doc",
);
static ADD_SKUS: BulkStatement = BulkStatement::new(
    "INSERT INTO order_skus (sku, draft, listed_at, order_id)",
    4,
    "ON CONFLICT (sku, draft, listed_at, order_id) DO NOTHING",
);
const DROP_SKU: &str = "DELETE FROM order_skus
    WHERE sku = $1 AND draft = $2 AND listed_at = $3 AND order_id = $4";

/// Orders: list, detail, and which order has which SKU.
#[derive(Debug, Clone, Copy)]
pub struct Orders;

impl ReadModel for Orders {
    type Row = OrderRow;

    const DEFINITION: Definition = Definition {
        name: "orders",
        version: 3,
        schema: &[SCHEMA, BY_STATUS, BY_CUSTOMER, SKUS],
        tables: &[
            Table { name: "orders", rows: "SELECT * FROM orders ORDER BY id", key: &["id"] },
            Table {
                name: "order_skus",
                rows: "SELECT * FROM order_skus ORDER BY sku, order_id, draft, listed_at",
                key: &["sku", "order_id"],
            },
        ],
        types,
    };

    fn key(event: &Event) -> Option<&str> {
        match event {
            Event::Order(_) | Event::Payment(_) | Event::Shipment(_) | Event::Reservation(_) => {
                event.order_id().map(domain::ids::OrderId::as_str)
            }
            Event::Product(_)
            | Event::Customer(_)
            | Event::Stock(_)
            | Event::Command(_)
            | Event::Operator(_) => None,
        }
    }

    fn key_of_stream(stream: &Stream) -> Option<String> {
        match stream {
            Stream::Order(id) | Stream::Reservation(id) => Some(id.as_str().to_owned()),
            Stream::Payment(id) => id.order().map(|id| id.as_str().to_owned()),
            Stream::Shipment(id) => id.order().map(|id| id.as_str().to_owned()),
            Stream::Product(_)
            | Stream::Stock(_)
            | Stream::Customer(_)
            | Stream::Commands(_)
            | Stream::Operations(_) => None,
        }
    }

    fn fold(
        row: Option<OrderRow>,
        event: &Event,
        seen: Seen,
    ) -> Result<Option<OrderRow>, FoldError> {
        fold(row, event, seen)
    }

    fn key_of(row: &OrderRow) -> &str {
        row.id.as_str()
    }

    async fn load(
        connection: &mut Connection,
        keys: &[&str],
    ) -> Result<Vec<OrderRow>, sqlx::Error> {
        of_ids(connection, keys).await
    }

    async fn write(
        connection: &mut Connection,
        rows: &[Touched<OrderRow>],
    ) -> Result<(), sqlx::Error> {
        let documents = documents::encode(rows)?;
        let written = UPSERT.write(connection, &documents, |query, (row, doc)| {
            query
                .bind(row.id.as_str())
                .bind(micros(row.listed_at()))
                .bind(row.status().as_str())
                .bind(row.customer_id.as_ref().map(domain::ids::CustomerId::as_str))
                .bind(doc.as_str())
        });
        written.await?;
        write_skus(connection, rows).await
    }
}

/// The events of orders, payments and parcels, and of the reservations only what ends a return.
fn types() -> Vec<&'static str> {
    let returned = ReservationEvent::TYPES.iter().filter(|kind| kind.name == "ReturnStocked");
    [OrderEvent::TYPES, PaymentEvent::TYPES, ShipmentEvent::TYPES]
        .into_iter()
        .flat_map(names)
        .chain(returned.map(|kind| kind.name))
        .collect()
}

/// A time as the list sorts it.
pub(super) fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

type SkuEntry<'r> = (&'r str, i64, i64, &'r str);

fn skus(row: &OrderRow) -> BTreeSet<SkuEntry<'_>> {
    let (draft, at) = (is_draft(row), micros(row.listed_at()));
    row.lines.iter().map(|line| (line.sku.as_str(), draft, at, row.id.as_str())).collect()
}

/// As both dialects keep it.
fn is_draft(row: &OrderRow) -> i64 {
    i64::from(row.status() == OrderStatus::Draft)
}

async fn write_skus(
    connection: &mut Connection,
    rows: &[Touched<OrderRow>],
) -> Result<(), sqlx::Error> {
    let mut added: Vec<SkuEntry<'_>> = Vec::new();
    for Touched { before, after } in rows {
        let unchanged = before.as_ref().is_some_and(|before| {
            before.placed_at == after.placed_at
                && is_draft(before) == is_draft(after)
                && before.lines.len() == after.lines.len()
                && before.lines.iter().zip(&after.lines).all(|(old, new)| old.sku == new.sku)
        });
        if unchanged {
            continue;
        }
        let (old, new) = (before.as_ref().map(skus).unwrap_or_default(), skus(after));
        for (sku, draft, at, order_id) in old.difference(&new) {
            let drop = connection.query(DROP_SKU).bind(*sku).bind(*draft);
            drop.bind(*at).bind(*order_id).execute().await?;
        }
        added.extend(new.difference(&old));
    }
    let written = ADD_SKUS.write(connection, &added, |query, (sku, draft, at, order_id)| {
        query.bind(*sku).bind(*draft).bind(*at).bind(*order_id)
    });
    written.await.map(drop)
}

/// The orders of these ids, in no order.
pub(super) async fn of_ids(
    connection: &mut Connection,
    ids: &[&str],
) -> Result<Vec<OrderRow>, sqlx::Error> {
    documents::fetch(connection.query(LOAD).bind_texts(ids)).await
}

/// The order of this id.
pub async fn find(connection: &mut Connection, id: &str) -> Result<Option<OrderRow>, sqlx::Error> {
    documents::find(connection, FIND, id).await
}

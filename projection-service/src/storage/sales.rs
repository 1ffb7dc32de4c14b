//! The tables of the sales report: the facts of each order, and a cell a day, country and currency.

use std::collections::{BTreeMap, HashMap};

use domain::event::Event;
use domain::orders::OrderEvent;
use domain::stream::Stream;
use storage::{BulkStatement, Connection, Row, Sql, one_of};

use super::documents;
use crate::folds::sales::{Cell, CellKey, SalesRow, change, fold};
use crate::folds::{FoldError, Seen};
use crate::model::{Definition, ReadModel, Table, Touched};

const ORDERS: &str = "CREATE TABLE IF NOT EXISTS sales_orders (
    order_id TEXT PRIMARY KEY,
    doc TEXT NOT NULL
) STRICT, WITHOUT ROWID";
const CELLS: &str = "CREATE TABLE IF NOT EXISTS sales_cells (
    cell TEXT PRIMARY KEY,
    day TEXT NOT NULL,
    country TEXT NOT NULL,
    currency TEXT NOT NULL,
    orders INTEGER NOT NULL,
    units INTEGER NOT NULL,
    sales INTEGER NOT NULL,
    returns INTEGER NOT NULL
) STRICT, WITHOUT ROWID";

const LOAD: Sql = one_of!("SELECT doc FROM sales_orders WHERE order_id", "$1");
static UPSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO sales_orders (order_id, doc)",
    2,
    "ON CONFLICT (order_id) DO UPDATE SET doc = excluded.doc",
);
const LOAD_CELLS: Sql = one_of!(
    "SELECT orders, units, sales, returns, cell FROM sales_cells
    WHERE cell",
    "$1"
);
static UPSERT_CELLS: BulkStatement = BulkStatement::new(
    "INSERT INTO sales_cells (cell, day, country, currency, orders, units, sales, returns)",
    8,
    "ON CONFLICT (cell) DO UPDATE SET orders = excluded.orders, units = excluded.units,
        sales = excluded.sales, returns = excluded.returns",
);
const DROP: Sql = one_of!("DELETE FROM sales_cells WHERE cell", "$1");

/// The sales report.
#[derive(Debug, Clone, Copy)]
pub struct Sales;

impl ReadModel for Sales {
    type Row = SalesRow;

    const DEFINITION: Definition = Definition {
        name: "sales",
        version: 1,
        schema: &[ORDERS, CELLS],
        tables: &[
            Table {
                name: "sales_orders",
                rows: "SELECT * FROM sales_orders ORDER BY order_id",
                key: &["order_id"],
            },
            Table {
                name: "sales_cells",
                rows: "SELECT * FROM sales_cells ORDER BY cell",
                key: &["cell"],
            },
        ],
        types: || {
            ["OrderPlaced", "OrderConfirmed", "LinesCancelled", "ReturnReceived"]
                .into_iter()
                .filter(|name| OrderEvent::TYPES.iter().any(|known| known.name == *name))
                .collect()
        },
    };

    fn key(event: &Event) -> Option<&str> {
        let Event::Order(event) = event else { return None };
        Some(event.order().as_str())
    }

    fn key_of_stream(stream: &Stream) -> Option<String> {
        let Stream::Order(id) = stream else { return None };
        Some(id.as_str().to_owned())
    }

    fn fold(
        row: Option<SalesRow>,
        event: &Event,
        seen: Seen,
    ) -> Result<Option<SalesRow>, FoldError> {
        let Event::Order(event) = event else { return Ok(row) };
        fold(row, event, seen)
    }

    fn key_of(row: &SalesRow) -> &str {
        &row.order_id
    }

    async fn load(
        connection: &mut Connection,
        keys: &[&str],
    ) -> Result<Vec<SalesRow>, sqlx::Error> {
        documents::fetch(connection.query(LOAD).bind_texts(keys)).await
    }

    async fn write(
        connection: &mut Connection,
        rows: &[Touched<SalesRow>],
    ) -> Result<(), sqlx::Error> {
        let documents = documents::encode(rows)?;
        let written = UPSERT.write(connection, &documents, |query, (row, doc)| {
            query.bind(row.order_id.as_str()).bind(doc.as_str())
        });
        written.await?;
        let mut changes: BTreeMap<CellKey, Cell> = BTreeMap::new();
        for Touched { before, after } in rows {
            for (key, by) in change(before.as_ref(), after) {
                let sum = changes.entry(key).or_default();
                *sum = sum.plus(by);
            }
        }
        changes.retain(|_, change| !change.is_zero());
        change_cells(connection, changes).await
    }
}

async fn change_cells(
    connection: &mut Connection,
    changes: BTreeMap<CellKey, Cell>,
) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let keys: Vec<String> = changes.keys().map(cell_text).collect();
    let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    let rows = connection.query(LOAD_CELLS).bind_texts(&texts).fetch_all().await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        found.insert(row.try_get::<String, _>(4)?, cell(row)?);
    }
    // Added here and not by the database, whose integers turn into floats beyond their bounds.
    let cells: Vec<(String, CellKey, Cell)> = keys
        .into_iter()
        .zip(changes)
        .map(|(text, (key, change))| {
            let now = found.get(&text).copied().unwrap_or_default().plus(change);
            (text, key, now)
        })
        .collect();
    let (zeros, cells): (Vec<_>, Vec<_>) = cells.into_iter().partition(|(.., cell)| cell.is_zero());
    let written = UPSERT_CELLS.write(connection, &cells, |query, (text, key, cell)| {
        query
            .bind(text.as_str())
            .bind(key.day.to_string())
            .bind(key.country.as_str())
            .bind(key.currency.code().to_owned())
            .bind(cell.orders)
            .bind(cell.units)
            .bind(cell.sales)
            .bind(cell.returns)
    });
    written.await?;
    let zeros: Vec<&str> = zeros.iter().map(|(text, ..)| text.as_str()).collect();
    if !zeros.is_empty() {
        connection.query(DROP).bind_texts(&zeros).execute().await?;
    }
    Ok(())
}

fn cell_text(key: &CellKey) -> String {
    format!("{}/{}/{}", key.day, key.currency, key.country)
}

/// The four numbers of a cell, in the first four columns.
pub(super) fn cell(row: &Row) -> Result<Cell, sqlx::Error> {
    Ok(Cell {
        orders: row.try_get(0)?,
        units: row.try_get(1)?,
        sales: row.try_get(2)?,
        returns: row.try_get(3)?,
    })
}

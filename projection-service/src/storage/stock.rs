//! The table of stock.

use domain::catalog::{ProductEvent, ProductRegistered};
use domain::event::Event;
use domain::ids::Sku;
use domain::inventory::StockEvent;
use domain::stream::Stream;
use storage::{BulkStatement, Connection, Row, Sql, one_of};

use crate::folds::stock::{StockRow, begin, fold};
use crate::folds::{FoldError, Seen};
use crate::model::{Definition, ReadModel, Table, Touched, names};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS stock (
    sku TEXT PRIMARY KEY,
    available INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID";

const LOAD: Sql = one_of!(
    "SELECT sku, available, reserved, version FROM stock
    WHERE sku",
    "$1"
);
const PAGE: &str = "SELECT sku, available, reserved, version FROM stock
    WHERE sku > $1 ORDER BY sku LIMIT $2";
const FIND: &str = "SELECT sku, available, reserved, version FROM stock WHERE sku = $1";
static UPSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO stock (sku, available, reserved, version)",
    4,
    "ON CONFLICT (sku) DO UPDATE SET available = excluded.available,
        reserved = excluded.reserved, version = excluded.version",
);

/// Stock per SKU, from the registration of its product on.
#[derive(Debug, Clone, Copy)]
pub struct Stock;

impl ReadModel for Stock {
    type Row = StockRow;

    const DEFINITION: Definition = Definition {
        name: "stock",
        version: 2,
        schema: &[SCHEMA],
        tables: &[Table { name: "stock", rows: "SELECT * FROM stock ORDER BY sku", key: &["sku"] }],
        types: || {
            let mut types = names(StockEvent::TYPES);
            let registered = |name: &&str| *name == "ProductRegistered";
            types.extend(names(ProductEvent::TYPES).into_iter().filter(registered));
            types
        },
    };

    fn key(event: &Event) -> Option<&str> {
        if let Event::Stock(event) = event {
            return Some(event.sku().as_str());
        }
        stocked(event).map(|product| product.sku.as_str())
    }

    fn key_of_stream(stream: &Stream) -> Option<String> {
        let (Stream::Stock(sku) | Stream::Product(sku)) = stream else { return None };
        Some(sku.as_str().to_owned())
    }

    fn fold(
        row: Option<StockRow>,
        event: &Event,
        seen: Seen,
    ) -> Result<Option<StockRow>, FoldError> {
        if let Event::Stock(event) = event {
            return Ok(Some(fold(row, event, seen)));
        }
        Ok(row.or_else(|| stocked(event).map(|product| begin(product.sku.clone()))))
    }

    fn key_of(row: &StockRow) -> &str {
        row.sku.as_str()
    }

    async fn load(
        connection: &mut Connection,
        keys: &[&str],
    ) -> Result<Vec<StockRow>, sqlx::Error> {
        let rows = connection.query(LOAD).bind_texts(keys).fetch_all().await?;
        rows.iter().map(row).collect()
    }

    async fn write(
        connection: &mut Connection,
        rows: &[Touched<StockRow>],
    ) -> Result<(), sqlx::Error> {
        let written = UPSERT.write(connection, rows, |query, row| {
            let row = &row.after;
            query
                .bind(row.sku.as_str())
                .bind(row.available)
                .bind(row.reserved)
                .bind(row.version.cast_signed())
        });
        written.await.map(drop)
    }
}

/// The registration of a product that units are kept of, if the event is one.
fn stocked(event: &Event) -> Option<&ProductRegistered> {
    let Event::Product(ProductEvent::ProductRegistered(product)) = event else { return None };
    product.stocked.then_some(product)
}

/// At most `limit` SKUs after this one.
pub async fn page(
    connection: &mut Connection,
    after: &str,
    limit: i64,
) -> Result<Vec<StockRow>, sqlx::Error> {
    let rows = connection.query(PAGE).bind(after).bind(limit).fetch_all().await?;
    rows.iter().map(row).collect()
}

/// The stock of a SKU.
pub async fn find(connection: &mut Connection, sku: &str) -> Result<Option<StockRow>, sqlx::Error> {
    let found = connection.query(FIND).bind(sku).fetch_optional().await?;
    found.as_ref().map(row).transpose()
}

fn row(row: &Row) -> Result<StockRow, sqlx::Error> {
    let sku = Sku::parse(row.try_get(0)?).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(StockRow {
        sku,
        available: row.try_get(1)?,
        reserved: row.try_get(2)?,
        version: row.try_get::<i64, _>(3)?.cast_unsigned(),
    })
}

//! The table of products.

use domain::catalog::ProductEvent;
use domain::event::Event;
use domain::stream::Stream;
use storage::{BulkStatement, Connection, Sql, one_of};

use super::documents;
use crate::folds::products::{ProductRow, fold};
use crate::folds::{FoldError, Seen};
use crate::model::{Definition, ReadModel, Table, Touched, names};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY,
    doc TEXT NOT NULL
) STRICT, WITHOUT ROWID";

const LOAD: Sql = one_of!("SELECT doc FROM products WHERE sku", "$1");
const FIND: &str = "SELECT doc FROM products WHERE sku = $1";
const PAGE: &str = "SELECT doc FROM products WHERE sku > $1 ORDER BY sku LIMIT $2";
static UPSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO products (sku, doc)",
    2,
    "ON CONFLICT (sku) DO UPDATE SET doc = excluded.doc",
);

/// Products.
#[derive(Debug, Clone, Copy)]
pub struct Products;

impl ReadModel for Products {
    type Row = ProductRow;

    const DEFINITION: Definition = Definition {
        name: "products",
        version: 1,
        schema: &[SCHEMA],
        tables: &[Table {
            name: "products",
            rows: "SELECT * FROM products ORDER BY sku",
            key: &["sku"],
        }],
        types: || names(ProductEvent::TYPES),
    };

    fn key(event: &Event) -> Option<&str> {
        let Event::Product(event) = event else { return None };
        Some(event.sku().as_str())
    }

    fn key_of_stream(stream: &Stream) -> Option<String> {
        let Stream::Product(sku) = stream else { return None };
        Some(sku.as_str().to_owned())
    }

    fn fold(
        row: Option<ProductRow>,
        event: &Event,
        seen: Seen,
    ) -> Result<Option<ProductRow>, FoldError> {
        let Event::Product(event) = event else { return Ok(row) };
        fold(row, event, seen).map(Some)
    }

    fn key_of(row: &ProductRow) -> &str {
        row.sku.as_str()
    }

    async fn load(
        connection: &mut Connection,
        keys: &[&str],
    ) -> Result<Vec<ProductRow>, sqlx::Error> {
        documents::fetch(connection.query(LOAD).bind_texts(keys)).await
    }

    async fn write(
        connection: &mut Connection,
        rows: &[Touched<ProductRow>],
    ) -> Result<(), sqlx::Error> {
        let rows = documents::encode(rows)?;
        let written = UPSERT.write(connection, &rows, |query, (row, doc)| {
            query.bind(row.sku.as_str()).bind(doc.as_str())
        });
        written.await.map(drop)
    }
}

/// The row of this key.
pub async fn find(
    connection: &mut Connection,
    sku: &str,
) -> Result<Option<ProductRow>, sqlx::Error> {
    documents::find(connection, FIND, sku).await
}

/// At most `limit` rows after this key.
pub async fn page(
    connection: &mut Connection,
    after: &str,
    limit: i64,
) -> Result<Vec<ProductRow>, sqlx::Error> {
    documents::fetch(connection.query(PAGE).bind(after).bind(limit)).await
}

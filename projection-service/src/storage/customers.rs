//! The table of customers.

use domain::customers::CustomerEvent;
use domain::event::Event;
use domain::stream::Stream;
use storage::{BulkStatement, Connection, Sql, one_of};

use super::documents;
use crate::folds::customers::{CustomerRow, fold};
use crate::folds::{FoldError, Seen};
use crate::model::{Definition, ReadModel, Table, Touched, names};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS customers (
    id TEXT PRIMARY KEY,
    doc TEXT NOT NULL
) STRICT, WITHOUT ROWID";

const LOAD: Sql = one_of!("SELECT doc FROM customers WHERE id", "$1");
const FIND: &str = "SELECT doc FROM customers WHERE id = $1";
const PAGE: &str = "SELECT doc FROM customers WHERE id > $1 ORDER BY id LIMIT $2";
static UPSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO customers (id, doc)",
    2,
    "ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
);

/// Customers.
#[derive(Debug, Clone, Copy)]
pub struct Customers;

impl ReadModel for Customers {
    type Row = CustomerRow;

    const DEFINITION: Definition = Definition {
        name: "customers",
        version: 1,
        schema: &[SCHEMA],
        tables: &[Table {
            name: "customers",
            rows: "SELECT * FROM customers ORDER BY id",
            key: &["id"],
        }],
        types: || names(CustomerEvent::TYPES),
    };

    fn key(event: &Event) -> Option<&str> {
        let Event::Customer(event) = event else { return None };
        Some(event.customer_id().as_str())
    }

    fn key_of_stream(stream: &Stream) -> Option<String> {
        let Stream::Customer(id) = stream else { return None };
        Some(id.as_str().to_owned())
    }

    fn fold(
        row: Option<CustomerRow>,
        event: &Event,
        seen: Seen,
    ) -> Result<Option<CustomerRow>, FoldError> {
        let Event::Customer(event) = event else { return Ok(row) };
        fold(row, event, seen).map(Some)
    }

    fn key_of(row: &CustomerRow) -> &str {
        row.id.as_str()
    }

    async fn load(
        connection: &mut Connection,
        keys: &[&str],
    ) -> Result<Vec<CustomerRow>, sqlx::Error> {
        documents::fetch(connection.query(LOAD).bind_texts(keys)).await
    }

    async fn write(
        connection: &mut Connection,
        rows: &[Touched<CustomerRow>],
    ) -> Result<(), sqlx::Error> {
        let rows = documents::encode(rows)?;
        let written = UPSERT.write(connection, &rows, |query, (row, doc)| {
            query.bind(row.id.as_str()).bind(doc.as_str())
        });
        written.await.map(drop)
    }
}

/// The row of this key.
pub async fn find(
    connection: &mut Connection,
    id: &str,
) -> Result<Option<CustomerRow>, sqlx::Error> {
    documents::find(connection, FIND, id).await
}

/// At most `limit` rows after this key.
pub async fn page(
    connection: &mut Connection,
    after: &str,
    limit: i64,
) -> Result<Vec<CustomerRow>, sqlx::Error> {
    documents::fetch(connection.query(PAGE).bind(after).bind(limit)).await
}

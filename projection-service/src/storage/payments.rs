//! The table of payments.

use domain::event::Event;
use domain::payments::PaymentEvent;
use domain::stream::Stream;
use storage::{BulkStatement, Connection, Sql, one_of};

use super::documents;
use crate::folds::payments::{PaymentRow, fold};
use crate::folds::{FoldError, Seen};
use crate::model::{Definition, ReadModel, Table, Touched, names};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    doc TEXT NOT NULL
) STRICT, WITHOUT ROWID";
const BY_ORDER: &str = "CREATE INDEX IF NOT EXISTS payments_by_order ON payments (order_id, id)";

const LOAD: Sql = one_of!("SELECT doc FROM payments WHERE id", "$1");
const FIND: &str = "SELECT doc FROM payments WHERE id = $1";
const PAGE: &str = "SELECT doc FROM payments WHERE id > $1 ORDER BY id LIMIT $2";
const PAGE_OF_ORDER: &str = "SELECT doc FROM payments
    WHERE order_id = $1 AND id > $2 ORDER BY id LIMIT $3";
static UPSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO payments (id, order_id, doc)",
    3,
    "ON CONFLICT (id) DO UPDATE SET order_id = excluded.order_id,
        doc = excluded.doc",
);

/// Payments.
#[derive(Debug, Clone, Copy)]
pub struct Payments;

impl ReadModel for Payments {
    type Row = PaymentRow;

    const DEFINITION: Definition = Definition {
        name: "payments",
        version: 1,
        schema: &[SCHEMA, BY_ORDER],
        tables: &[Table {
            name: "payments",
            rows: "SELECT * FROM payments ORDER BY id",
            key: &["id"],
        }],
        types: || names(PaymentEvent::TYPES),
    };

    fn key(event: &Event) -> Option<&str> {
        let Event::Payment(event) = event else { return None };
        Some(event.payment_id().as_str())
    }

    fn key_of_stream(stream: &Stream) -> Option<String> {
        let Stream::Payment(id) = stream else { return None };
        Some(id.as_str().to_owned())
    }

    fn fold(
        row: Option<PaymentRow>,
        event: &Event,
        seen: Seen,
    ) -> Result<Option<PaymentRow>, FoldError> {
        let Some(order_id) = event.order_id() else { return Ok(row) };
        let Event::Payment(event) = event else { return Ok(row) };
        Ok(Some(fold(row, event, order_id, seen)))
    }

    fn key_of(row: &PaymentRow) -> &str {
        row.id.as_str()
    }

    async fn load(
        connection: &mut Connection,
        keys: &[&str],
    ) -> Result<Vec<PaymentRow>, sqlx::Error> {
        documents::fetch(connection.query(LOAD).bind_texts(keys)).await
    }

    async fn write(
        connection: &mut Connection,
        rows: &[Touched<PaymentRow>],
    ) -> Result<(), sqlx::Error> {
        let rows = documents::encode(rows)?;
        let written = UPSERT.write(connection, &rows, |query, (row, doc)| {
            query.bind(row.id.as_str()).bind(row.order_id.as_str()).bind(doc.as_str())
        });
        written.await.map(drop)
    }
}

/// The row of this key.
pub async fn find(
    connection: &mut Connection,
    id: &str,
) -> Result<Option<PaymentRow>, sqlx::Error> {
    documents::find(connection, FIND, id).await
}

/// Which payments are asked for; `None` asks for all.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Wanted {
    /// Those of this order.
    pub order_id: Option<String>,
}

/// At most `limit` of those wanted, after this key.
pub async fn page(
    connection: &mut Connection,
    wanted: Wanted,
    after: &str,
    limit: i64,
) -> Result<Vec<PaymentRow>, sqlx::Error> {
    let query = match wanted {
        Wanted { order_id: Some(order_id) } => connection.query(PAGE_OF_ORDER).bind(order_id),
        Wanted { order_id: None } => connection.query(PAGE),
    };
    documents::fetch(query.bind(after).bind(limit)).await
}

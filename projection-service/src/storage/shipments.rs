//! The table of shipments.

use domain::event::Event;
use domain::shipping::{ShipmentEvent, ShipmentStatus};
use domain::stream::Stream;
use storage::{BulkStatement, Connection, Sql, one_of};

use super::documents;
use crate::folds::shipments::{ShipmentRow, fold};
use crate::folds::{FoldError, Seen};
use crate::model::{Definition, ReadModel, Table, Touched, names};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS shipments (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    status TEXT NOT NULL,
    doc TEXT NOT NULL
) STRICT, WITHOUT ROWID";
const BY_ORDER: &str = "CREATE INDEX IF NOT EXISTS shipments_by_order ON shipments (order_id, id)";
const BY_STATUS: &str = "CREATE INDEX IF NOT EXISTS shipments_by_status ON shipments (status, id)";

const LOAD: Sql = one_of!("SELECT doc FROM shipments WHERE id", "$1");
const FIND: &str = "SELECT doc FROM shipments WHERE id = $1";
const PAGE: &str = "SELECT doc FROM shipments WHERE id > $1 ORDER BY id LIMIT $2";
const PAGE_OF_ORDER: &str = "SELECT doc FROM shipments
    WHERE order_id = $1 AND id > $2 ORDER BY id LIMIT $3";
const PAGE_OF_STATUS: &str = "SELECT doc FROM shipments
    WHERE status = $1 AND id > $2 ORDER BY id LIMIT $3";
/// An order has few parcels, a status has many: not a way for its index.
const PAGE_OF_ORDER_AND_STATUS: &str = "SELECT doc FROM shipments
    WHERE order_id = $1 AND status || '' = $2 AND id > $3 ORDER BY id LIMIT $4";
static UPSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO shipments (id, order_id, status, doc)",
    4,
    "ON CONFLICT (id) DO UPDATE SET order_id = excluded.order_id,
        status = excluded.status,
        doc = excluded.doc",
);

/// Shipments.
#[derive(Debug, Clone, Copy)]
pub struct Shipments;

impl ReadModel for Shipments {
    type Row = ShipmentRow;

    const DEFINITION: Definition = Definition {
        name: "shipments",
        version: 1,
        schema: &[SCHEMA, BY_ORDER, BY_STATUS],
        tables: &[Table {
            name: "shipments",
            rows: "SELECT * FROM shipments ORDER BY id",
            key: &["id"],
        }],
        types: || names(ShipmentEvent::TYPES),
    };

    fn key(event: &Event) -> Option<&str> {
        let Event::Shipment(event) = event else { return None };
        Some(event.shipment_id().as_str())
    }

    fn key_of_stream(stream: &Stream) -> Option<String> {
        let Stream::Shipment(id) = stream else { return None };
        Some(id.as_str().to_owned())
    }

    fn fold(
        row: Option<ShipmentRow>,
        event: &Event,
        seen: Seen,
    ) -> Result<Option<ShipmentRow>, FoldError> {
        let Event::Shipment(event) = event else { return Ok(row) };
        fold(row, event, seen).map(Some)
    }

    fn key_of(row: &ShipmentRow) -> &str {
        row.id.as_str()
    }

    async fn load(
        connection: &mut Connection,
        keys: &[&str],
    ) -> Result<Vec<ShipmentRow>, sqlx::Error> {
        documents::fetch(connection.query(LOAD).bind_texts(keys)).await
    }

    async fn write(
        connection: &mut Connection,
        rows: &[Touched<ShipmentRow>],
    ) -> Result<(), sqlx::Error> {
        let rows = documents::encode(rows)?;
        let written = UPSERT.write(connection, &rows, |query, (row, doc)| {
            query
                .bind(row.id.as_str())
                .bind(row.order_id.as_str())
                .bind(status_text(row.status))
                .bind(doc.as_str())
        });
        written.await.map(drop)
    }
}

/// The row of this key.
pub async fn find(
    connection: &mut Connection,
    id: &str,
) -> Result<Option<ShipmentRow>, sqlx::Error> {
    documents::find(connection, FIND, id).await
}

/// Which shipments are asked for; `None` asks for all.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Wanted {
    /// Those of this order.
    pub order_id: Option<String>,
    /// Those that stand here.
    pub status: Option<ShipmentStatus>,
}

/// At most `limit` of those wanted, after this key.
pub async fn page(
    connection: &mut Connection,
    wanted: Wanted,
    after: &str,
    limit: i64,
) -> Result<Vec<ShipmentRow>, sqlx::Error> {
    let query = match wanted {
        Wanted { order_id: Some(order_id), status: Some(status) } => {
            connection.query(PAGE_OF_ORDER_AND_STATUS).bind(order_id).bind(status_text(status))
        }
        Wanted { order_id: Some(order_id), status: None } => {
            connection.query(PAGE_OF_ORDER).bind(order_id)
        }
        Wanted { order_id: None, status: Some(status) } => {
            connection.query(PAGE_OF_STATUS).bind(status_text(status))
        }
        Wanted { order_id: None, status: None } => connection.query(PAGE),
    };
    documents::fetch(query.bind(after).bind(limit)).await
}

fn status_text(status: ShipmentStatus) -> &'static str {
    match status {
        ShipmentStatus::Pending => "pending",
        ShipmentStatus::Shipped => "shipped",
        ShipmentStatus::Delivered => "delivered",
        ShipmentStatus::Cancelled => "cancelled",
    }
}

//! What endpoints are to be told, as it comes from the log.

use chrono::{DateTime, Utc};
use storage::{BulkStatement, Connection};
use uuid::Uuid;

use super::{integer, micros};
use crate::public::CloudEvent;

/// An event that is there already, as after a crash or another history, stays as it is.
static INSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO deliveries (endpoint_id, event_id, event_type, subject, position, body, created_at, state,
        due_at, under_way, tries)",
    11,
    "ON CONFLICT (endpoint_id, event_id) DO NOTHING",
);
/// The first that waits for its subject is due; the others wait for it.
const FIRST_ARE_DUE: &str = "UPDATE deliveries SET due_at = $1
    WHERE state = 0 AND due_at IS NULL AND endpoint_id = $2 AND position >= $3
        AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier
            WHERE earlier.state = 0 AND earlier.endpoint_id = deliveries.endpoint_id
                AND earlier.subject = deliveries.subject AND earlier.number < deliveries.number)";

/// Something that an endpoint is to be told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewDelivery<'d> {
    pub(crate) endpoint_id: &'d str,
    pub(crate) event: &'d CloudEvent,
}

/// Keeps what endpoints are to be told, each event once.
pub(crate) async fn insert_deliveries(
    connection: &mut Connection,
    new: &[NewDelivery<'_>],
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let Some(first) = new.iter().map(|delivery| delivery.event.position).min() else {
        return Ok(());
    };
    let (now, first) = (micros(now), integer(first)?);
    let event_id = |id: &Uuid| id.to_string();
    INSERT
        .write(connection, new, |query, delivery| {
            let event = delivery.event;
            query
                .bind(delivery.endpoint_id)
                .bind(event_id(&event.id))
                .bind(event.name)
                .bind(event.subject.as_str())
                // A position that SQL can't hold was refused above: it is not less than the first.
                .bind(i64::try_from(event.position).unwrap_or(i64::MAX))
                .bind(event.body.as_str())
                .bind(now)
                .bind(0_i64)
                .bind(None::<i64>)
                .bind(0_i64)
                .bind(0_i64)
        })
        .await?;
    let mut endpoints: Vec<&str> = new.iter().map(|delivery| delivery.endpoint_id).collect();
    endpoints.dedup();
    endpoints.sort_unstable();
    endpoints.dedup();
    for endpoint in endpoints {
        let due = connection.query(FIRST_ARE_DUE).bind(now).bind(endpoint).bind(first);
        due.execute().await?;
    }
    Ok(())
}

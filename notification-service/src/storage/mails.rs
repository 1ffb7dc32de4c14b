//! What customers are to be told by mail. It is kept like what is for a webhook, and no address with it.

use chrono::{DateTime, Utc};
use storage::Connection;

use super::log::{DeliveryRow, DeliveryState, delivery};
use super::{instant, micros};

/// The one channel that is no webhook: their ids begin with `wh_`.
pub(crate) const MAIL: &str = "mail";

const BEGIN: &str =
    "INSERT INTO mail (singleton, since) VALUES (1, $1) ON CONFLICT (singleton) DO NOTHING";
const SINCE: &str = "SELECT since FROM mail";
const END: &str = "DELETE FROM mail";
const DROP_WAITING: &str =
    "UPDATE deliveries SET state = 3, due_at = NULL, under_way = 0, settled_at = $1
    WHERE endpoint_id = 'mail' AND state = 0";
const LIST: &str = "SELECT number, event_id, event_type, subject, position, body, state, due_at, under_way, tries, created_at,
    settled_at FROM deliveries WHERE endpoint_id = 'mail' AND number < $1 ORDER BY number DESC LIMIT $2";
const LIST_OF_STATE: &str =
    "SELECT number, event_id, event_type, subject, position, body, state, due_at, under_way, tries,
    created_at, settled_at FROM deliveries
    WHERE endpoint_id = 'mail' AND number < $1 AND state = $3 ORDER BY number DESC LIMIT $2";
const LIST_OF_ORDER: &str =
    "SELECT number, event_id, event_type, subject, position, body, state, due_at, under_way, tries,
    created_at, settled_at FROM deliveries
    WHERE endpoint_id = 'mail' AND number < $1 AND subject = $3 ORDER BY number DESC LIMIT $2";
const LIST_OF_BOTH: &str = "SELECT number, event_id, event_type, subject, position, body, state, due_at, under_way, tries,
    created_at, settled_at FROM deliveries
    WHERE endpoint_id = 'mail' AND number < $1 AND subject = $3 AND state = $4 ORDER BY number DESC LIMIT $2";
/// Which mails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MailFilter<'f> {
    pub(crate) state: Option<DeliveryState>,
    /// What they are about, such as `orders/o1`.
    pub(crate) subject: Option<&'f str>,
}

/// Customers get mail from now on, unless they did already; since when they do. What waited when they got none any more is not sent
/// so much later.
pub(crate) async fn begin_mail(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, sqlx::Error> {
    if connection.query(BEGIN).bind(micros(now)).execute().await? > 0 {
        connection.query(DROP_WAITING).bind(micros(now)).execute().await?;
    }
    instant(connection.query(SINCE).scalar().await?)
}

/// Customers get no mail.
pub(crate) async fn end_mail(connection: &mut Connection) -> Result<(), sqlx::Error> {
    connection.query(END).execute().await?;
    Ok(())
}

/// Those before this number, the newest first.
pub(crate) async fn list_mails(
    connection: &mut Connection,
    filter: MailFilter<'_>,
    before: i64,
    limit: i64,
) -> Result<Vec<DeliveryRow>, sqlx::Error> {
    let state = filter.state.map(DeliveryState::number);
    let query = match (filter.subject, state) {
        (None, None) => connection.query(LIST).bind(before).bind(limit),
        (None, Some(state)) => connection.query(LIST_OF_STATE).bind(before).bind(limit).bind(state),
        (Some(subject), None) => {
            connection.query(LIST_OF_ORDER).bind(before).bind(limit).bind(subject)
        }
        (Some(subject), Some(state)) => {
            connection.query(LIST_OF_BOTH).bind(before).bind(limit).bind(subject).bind(state)
        }
    };
    query.fetch_all().await?.iter().map(delivery).collect()
}

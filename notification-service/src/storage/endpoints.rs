//! Endpoints.

use chrono::{DateTime, Utc};
use storage::{Connection, Row};

use super::{forget_answers, instant, integer, micros, not_as_written, unsigned};
use crate::webhooks::{Endpoint, EndpointState, Filter, Secret, SecretBox, Secrets, parse_url};

const INSERT: &str = "INSERT INTO endpoints
    (id, url, events, description, state, secret, drawn_by, since, request, created_at)
    VALUES ($1, $2, $3, $4, 'enabled', $5, $6, $7, $8, $9)";
const READ: &str =
    "SELECT number, id, url, events, description, state, disabled_why, disabled_at, secret,
    previous_secret, previous_until, previous_drawn_by, drawn_by, since, failing_since, request,
    created_at FROM endpoints WHERE state <> 'deleted' ORDER BY number";
const FIND: &str =
    "SELECT number, id, url, events, description, state, disabled_why, disabled_at, secret,
    previous_secret, previous_until, previous_drawn_by, drawn_by, since, failing_since, request,
    created_at FROM endpoints WHERE state <> 'deleted' AND id = $1";
const IS_DELETED: &str = "SELECT 1 FROM endpoints WHERE state = 'deleted' AND id = $1";
const DELETE: &str =
    "UPDATE endpoints SET state = 'deleted', url = '', description = NULL, secret = '',
    previous_secret = NULL WHERE id = $1";
const DELETE_DELIVERIES: &str = "DELETE FROM deliveries WHERE endpoint_id = $1";
const DELETE_ATTEMPTS: &str = "DELETE FROM attempts
    WHERE delivery IN (SELECT number FROM deliveries WHERE endpoint_id = $1)";
const DISABLE: &str = "UPDATE endpoints SET state = 'disabled', disabled_why = $2, disabled_at = $3
    WHERE id = $1 AND state = 'enabled'";
const ENABLE: &str =
    "UPDATE endpoints SET state = 'enabled', disabled_why = NULL, disabled_at = NULL,
    failing_since = NULL WHERE id = $1 AND state = 'disabled'";
const ROTATE: &str = "UPDATE endpoints SET previous_secret = secret, previous_until = $3,
    previous_drawn_by = drawn_by, secret = $2, drawn_by = $4 WHERE id = $1";
const FAILING: &str =
    "UPDATE endpoints SET failing_since = $2 WHERE id = $1 AND failing_since IS NULL";
const FAILING_SINCE: &str = "SELECT failing_since FROM endpoints WHERE id = $1";
const GOT_THROUGH: &str =
    "UPDATE endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL";
const BY_TIME: &str = "UPDATE endpoints SET since = NULL";

/// Keeps a new one.
pub(crate) async fn insert_endpoint(
    connection: &mut Connection,
    endpoint: &Endpoint,
    sealing: &SecretBox,
) -> Result<(), sqlx::Error> {
    let secret = seal(sealing, &endpoint.id, &endpoint.secrets.current)?;
    let events = serde_json::to_string(endpoint.filter.words());
    let events = events.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let since = endpoint.since.map(integer).transpose()?;
    let insert = connection.query(INSERT).bind(endpoint.id.as_str()).bind(endpoint.url.as_str());
    let insert = insert.bind(events).bind(endpoint.description.as_deref()).bind(secret);
    let insert = insert.bind(endpoint.secrets.drawn_by.as_str()).bind(since);
    insert.bind(endpoint.request.as_str()).bind(micros(endpoint.created_at)).execute().await?;
    Ok(())
}

/// All of them, in the order of their registration.
pub(crate) async fn read_endpoints(
    connection: &mut Connection,
    sealing: &SecretBox,
) -> Result<Vec<Endpoint>, sqlx::Error> {
    let rows = connection.query(READ).fetch_all().await?;
    rows.iter().map(|row| endpoint(row, sealing)).collect()
}

pub(crate) async fn find_endpoint(
    connection: &mut Connection,
    sealing: &SecretBox,
    id: &str,
) -> Result<Option<Endpoint>, sqlx::Error> {
    let row = connection.query(FIND).bind(id).fetch_optional().await?;
    row.as_ref().map(|row| endpoint(row, sealing)).transpose()
}

/// Whether there was one of this id.
pub(crate) async fn is_deleted(connection: &mut Connection, id: &str) -> Result<bool, sqlx::Error> {
    Ok(connection.query(IS_DELETED).bind(id).fetch_optional().await?.is_some())
}

/// Forgets where it was, its secrets, all that was for it, and what was answered about it.
pub(crate) async fn delete_endpoint(
    connection: &mut Connection,
    id: &str,
) -> Result<(), sqlx::Error> {
    for statement in [DELETE_ATTEMPTS, DELETE_DELIVERIES, DELETE] {
        connection.query(statement).bind(id).execute().await?;
    }
    forget_answers(connection, id).await
}

/// Tells it no more; false when it is not told already.
pub(crate) async fn disable(
    connection: &mut Connection,
    id: &str,
    why: &str,
    at: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let disable = connection.query(DISABLE).bind(id).bind(why).bind(micros(at));
    Ok(disable.execute().await? == 1)
}

/// Tells it again.
pub(crate) async fn enable(connection: &mut Connection, id: &str) -> Result<(), sqlx::Error> {
    connection.query(ENABLE).bind(id).execute().await?;
    Ok(())
}

/// Another secret signs; the one that did goes on doing so until a time.
pub(crate) async fn rotate_secret(
    connection: &mut Connection,
    sealing: &SecretBox,
    (id, key): (&str, &str),
    secret: &Secret,
    until: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let sealed = seal(sealing, id, secret)?;
    let rotate = connection.query(ROTATE).bind(id).bind(sealed).bind(micros(until)).bind(key);
    rotate.execute().await?;
    Ok(())
}

/// Nothing got through, since this time or before.
pub(crate) async fn start_failing(
    connection: &mut Connection,
    id: &str,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    connection.query(FAILING).bind(id).bind(micros(at)).execute().await?;
    Ok(())
}

/// Since when nothing got through.
pub(crate) async fn failing_since(
    connection: &mut Connection,
    id: &str,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let since: Option<Option<i64>> =
        connection.query(FAILING_SINCE).bind(id).scalar_optional().await?;
    since.flatten().map(instant).transpose()
}

/// Something got through.
pub(crate) async fn got_through(connection: &mut Connection, id: &str) -> Result<(), sqlx::Error> {
    connection.query(GOT_THROUGH).bind(id).execute().await?;
    Ok(())
}

/// Positions mean nothing any more.
pub(crate) async fn begin_by_time(connection: &mut Connection) -> Result<(), sqlx::Error> {
    connection.query(BY_TIME).execute().await?;
    Ok(())
}

fn seal(sealing: &SecretBox, id: &str, secret: &Secret) -> Result<String, sqlx::Error> {
    let sealed = sealing.seal(id, secret);
    sealed.map_err(|_| sqlx::Error::Encode("a secret can't be sealed".into()))
}

fn endpoint(row: &Row, sealing: &SecretBox) -> Result<Endpoint, sqlx::Error> {
    let id: String = row.try_get("id")?;
    let time = |column: Option<i64>| column.map(instant).transpose();
    let open = |sealed: String| sealing.open(&id, &sealed).map_err(not_as_written);
    let previous: Option<String> = row.try_get("previous_secret")?;
    let previous_until = time(row.try_get("previous_until")?)?;
    let secrets = Secrets {
        current: open(row.try_get("secret")?)?,
        previous: previous.map(open).transpose()?.zip(previous_until),
        drawn_by: row.try_get("drawn_by")?,
        previous_drawn_by: row.try_get("previous_drawn_by")?,
    };
    let since: Option<i64> = row.try_get("since")?;
    let events: String = row.try_get("events")?;
    let url: String = row.try_get("url")?;
    Ok(Endpoint {
        number: row.try_get("number")?,
        url: parse_url(&url).map_err(not_as_written)?,
        filter: Filter::stored(serde_json::from_str(&events).map_err(not_as_written)?),
        description: row.try_get("description")?,
        state: state(row)?,
        secrets,
        since: since.map(unsigned).transpose()?,
        created_at: instant(row.try_get("created_at")?)?,
        failing_since: time(row.try_get("failing_since")?)?,
        request: row.try_get("request")?,
        id,
    })
}

fn state(row: &Row) -> Result<EndpointState, sqlx::Error> {
    let state: String = row.try_get("state")?;
    if state == "enabled" {
        return Ok(EndpointState::Enabled);
    }
    let why: Option<String> = row.try_get("disabled_why")?;
    let at: Option<i64> = row.try_get("disabled_at")?;
    let at = instant(at.unwrap_or_default())?;
    Ok(EndpointState::Disabled { why: why.unwrap_or_default(), at })
}

//! The load: known commands, snapshots and events of many streams. One statement, so one snapshot of the database and one
//! round trip.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::sql::rows::{CommandRow, EventDecoder, count, undecodable};
use crate::types::{LoadRequest, Loaded, LoadedStream, Snapshot, StreamId};

/// What a row is, in its last column but one. The columns before are those of an event; the others use what fits.
const EVENT: i32 = 1;
const SNAPSHOT: i32 = 2;
const COMMAND: i32 = 3;
const KIND: usize = 9;
const HASH: usize = 10;

/// Each look-up stands for itself: joined, the planner may compare all that was asked for with every row there is, since
/// plans are made once, on a log that may hardly be begun then.
const LOAD: &str = "WITH asked AS MATERIALIZED (
        SELECT asked.stream, found.version, found.state
        FROM unnest($1::text[]) AS asked (stream)
        LEFT JOIN LATERAL (
            SELECT version, state FROM snapshots
            WHERE snapshots.stream = asked.stream AND schema_hash = $2 OFFSET 0
        ) AS found ON true
    )
    SELECT found.position, found.stream, found.version, found.id, found.type, found.schema_version,
        found.payload, found.metadata, found.recorded_at, 1, NULL::bytea
    FROM asked, LATERAL (
        SELECT * FROM events
        WHERE events.stream = asked.stream AND events.version > coalesce(asked.version, 0) OFFSET 0
    ) AS found
    UNION ALL
    SELECT 0, stream, version, NULL, '', 0, state, '', 0, 2, NULL FROM asked WHERE state IS NOT NULL
    UNION ALL
    SELECT position, command_id, version, NULL, '', status, body, '', 0, 3, request_hash
    FROM unnest($3::text[]) AS known (id),
        LATERAL (SELECT * FROM commands WHERE command_id = known.id OFFSET 0) AS found";

pub(super) async fn load(
    connection: &mut PgConnection,
    request: LoadRequest,
) -> Result<Loaded, sqlx::Error> {
    let LoadRequest { commands, streams, schema_hash } = request;
    let names: Vec<&str> = streams.iter().map(|stream| &**stream).collect();
    let ids: Vec<&str> = commands.iter().map(|command| &**command).collect();
    let query = sqlx::query(LOAD).bind(names).bind(schema_hash.cast_signed()).bind(ids);
    let rows = query.fetch_all(connection).await?;
    let mut loaded = Loaded {
        commands: HashMap::new(),
        streams: streams.into_iter().map(|stream| (stream, LoadedStream::default())).collect(),
    };
    let mut decoder = EventDecoder::default();
    for row in &rows {
        add(&mut loaded, &mut decoder, row)?;
    }
    for stream in loaded.streams.values_mut() {
        // A pass over what is in order already, as long as the server reads along the index.
        stream.events.sort_by_key(|event| event.version);
    }
    Ok(loaded)
}

fn add(loaded: &mut Loaded, decoder: &mut EventDecoder, row: &PgRow) -> Result<(), sqlx::Error> {
    match row.try_get(KIND)? {
        EVENT => {
            let event = decoder.decode(row)?;
            if let Some(stream) = loaded.streams.get_mut(&event.stream) {
                stream.events.push(event);
            }
        }
        SNAPSHOT => {
            let stream = StreamId::from(row.try_get::<&str, _>(1)?);
            let snapshot = Snapshot {
                stream: stream.clone(),
                version: count(row.try_get(2)?)?,
                state: row.try_get(6)?,
            };
            if let Some(stream) = loaded.streams.get_mut(&stream) {
                stream.snapshot = Some(snapshot);
            }
        }
        COMMAND => {
            let known = CommandRow {
                command_id: row.try_get(1)?,
                request_hash: row.try_get(HASH)?,
                status: row.try_get(5)?,
                body: row.try_get(6)?,
                version: row.try_get(2)?,
                position: row.try_get(0)?,
            };
            let (id, known) = known.try_into()?;
            loaded.commands.insert(id, known);
        }
        _ => return Err(undecodable("a row of no known kind")),
    }
    Ok(())
}

//! Streams as a peer would have stored them, written in one statement. Events of different streams alternate, as in life.
//!
//! **Invariant:** what is loaded is what the peer's own code would have written. A run over it fails if it is not.

/// The two tables that postgres-es asks its users to create.
pub(crate) const CQRS_ES_SCHEMA: &str = "
    CREATE TABLE events (
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        sequence bigint NOT NULL CHECK (sequence >= 0),
        event_type text NOT NULL,
        event_version text NOT NULL,
        payload json NOT NULL,
        metadata json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence)
    );
    CREATE TABLE snapshots (
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        last_sequence bigint NOT NULL CHECK (last_sequence >= 0),
        current_snapshot bigint NOT NULL CHECK (current_snapshot >= 0),
        payload json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, last_sequence)
    )";

/// The streams, the events of each, type of the aggregate and of the event, payload, metadata.
pub(crate) const CQRS_ES_EVENTS: &str = "
    INSERT INTO events
    SELECT $3, id, sequence, $4, '1.0', $5::json, $6::json
    FROM generate_series(1, $2) AS sequence, unnest($1::text[]) AS id
    ORDER BY sequence";

/// The streams, the events that are in their snapshots, how many snapshots that were, type and state.
pub(crate) const CQRS_ES_SNAPSHOTS: &str = "
    INSERT INTO snapshots
    SELECT $4, id, $2, $3, $5::json FROM unnest($1::text[]) AS id";

/// The streams, the events of each, the payload.
pub(crate) const ESRS_EVENTS: &str = "
    INSERT INTO stock_events (id, aggregate_id, payload, occurred_on, sequence_number)
    SELECT gen_random_uuid(), id, $3::jsonb, current_timestamp + sequence * interval '1 ms', sequence
    FROM generate_series(1, $2) AS sequence, unnest($1::uuid[]) AS id
    ORDER BY sequence";

/// What of disintegrate's migration is missing on PostgreSQL before 16, which reads no hexadecimal numbers. The lock of
/// an epoch is taken as the original takes it.
pub(crate) const DISINTEGRATE_REST: &str = "
    CREATE OR REPLACE FUNCTION event_store_begin_epoch() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM
            pg_try_advisory_xact_lock_shared(oid::integer, 0),
            pg_try_advisory_xact_lock_shared(1, (last_value & 4294967295)::bit(32)::integer),
            pg_try_advisory_xact_lock_shared(2, (last_value >> 32)::bit(32)::integer)
        FROM pg_database, seq_event_event_id
        WHERE datname = current_database();
    END $$;
    ALTER TABLE event ADD COLUMN IF NOT EXISTS sku text;
    CREATE INDEX IF NOT EXISTS idx_event_sku ON event (sku) WHERE sku IS NOT NULL";

/// The streams, the events of each, their payloads, how many streams there are, the name of the event.
pub(crate) const DISINTEGRATE_EVENTS: &str = "
    INSERT INTO event (event_id, event_type, payload, sku)
    SELECT (sequence - 1) * $4 + number, $5, payload, sku
    FROM generate_series(1, $2) AS sequence,
        unnest($1::text[], $3::bytea[]) WITH ORDINALITY AS stream (sku, payload, number)
    ORDER BY 1";

/// The next event comes after the loaded ones.
pub(crate) const DISINTEGRATE_SEQUENCE: &str =
    "SELECT setval('seq_event_event_id', max(event_id)) FROM event";

/// Where message-db keeps its messages: the category of a stream is what stands before its first dash.
pub(crate) const MESSAGE_DB_EVENTS: &str = "
    INSERT INTO message_store.messages (position, stream_name, type, data, metadata)
    SELECT sequence - 1, name, $3, $4::jsonb, $5::jsonb
    FROM generate_series(1, $2) AS sequence, unnest($1::text[]) AS name
    ORDER BY sequence";

/// One message, if its stream is as expected.
pub(crate) const MESSAGE_DB_WRITE: &str =
    "SELECT message_store.write_message($1, $2, $3, $4, $5, $6)";

/// A whole stream: -1 is all of it.
pub(crate) const MESSAGE_DB_STREAM: &str =
    "SELECT position, data FROM message_store.get_stream_messages($1, 0, -1)";

/// A page of a category from a global position on.
pub(crate) const MESSAGE_DB_CATEGORY: &str = "
    SELECT global_position, data, metadata
    FROM message_store.get_category_messages($1, $2, $3)";

/// Emmett's streams, each with its events.
pub(crate) const EMMETT_STREAMS: &str = "
    INSERT INTO emt_streams (stream_id, stream_position, partition, stream_type, stream_metadata)
    SELECT name, $2, 'emt:default', 'stock', '{}' FROM unnest($1::text[]) AS name";

/// The streams, the events of each, the event's type, payload and metadata.
pub(crate) const EMMETT_EVENTS: &str = "
    INSERT INTO emt_messages (
        stream_id, stream_position, partition, message_data, message_metadata,
        message_schema_version, message_type, message_id, transaction_id
    )
    SELECT name, sequence, 'emt:default', $4::jsonb, $5::jsonb,
        '1', $3, gen_random_uuid()::text, pg_current_xact_id()
    FROM generate_series(1, $2) AS sequence, unnest($1::text[]) AS name
    ORDER BY sequence";
